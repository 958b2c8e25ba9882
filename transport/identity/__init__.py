"""Who belongs to a cluster: its authority, each node's key and certificate, join tokens, and proofs.

IdentityError        the text is a sentence for a person, and says what to do
├── CsrRefused       a request for a certificate that none is given for
├── TokenRefused     a text that is no join token of this cluster
└── JoinFailed       a machine could not join, or could not have its certificate renewed

No error of this package holds a key, a token or a certificate.
"""

from transport.identity.authority import SERVER_LIFE, ClusterCA
from transport.identity.certificates import BACKDATE, NODE_LIFE, Role
from transport.identity.pair import IdentityError

__all__ = ["BACKDATE", "NODE_LIFE", "SERVER_LIFE", "ClusterCA", "IdentityError", "Role"]
