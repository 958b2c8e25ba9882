"""The registry of the fake engine: images by reference, and accounts of those registries that want a sign-in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cluster.registries import Credential, registry_of
from engine.docker_images import full_reference
from engine.fake_container import FakeImage
from engine.port import ImageDenied, ImageMissing


@dataclass(slots=True)
class FakeRegistry:
    """All registries that there are. One that is in `accounts` gives nothing but to who shows that credential."""

    images: dict[str, FakeImage] = field(default_factory=dict)
    accounts: dict[str, Credential] = field(default_factory=dict)

    def get(self, reference: str, credential: Credential | None) -> FakeImage:
        """The image of that name, and of that digest where one is named. Raises ImageDenied, ImageMissing."""
        registry, (name, _, digest) = registry_of(reference), reference.partition("@")
        if registry in self.accounts and self.accounts[registry] != credential:
            raise ImageDenied(f"the registry denies image {reference}")
        for key, image in self.images.items():
            if full_reference(key) == full_reference(name) and digest in ("", digest_of(image)):
                return image
        raise ImageMissing(f"the registry has no image {reference}; check its name and tag")

    def sign_in(self, registry: str, credential: Credential) -> None:
        """Raises ImageDenied where the registry has an account, and this is not its credential."""
        if self.accounts.get(registry, credential) != credential:
            raise ImageDenied(f"the registry does not know {credential.username} at {registry} by this password")


def id_of(name: str, image: FakeImage) -> str:
    """The content id of an image that is here under that name."""
    return "sha256:" + hashlib.sha256(f"{name} {image}".encode()).hexdigest()


def digest_of(image: FakeImage) -> str:
    """What an image is, in a word: another one has another digest."""
    return "sha256:" + hashlib.sha256(str(image).encode()).hexdigest()
