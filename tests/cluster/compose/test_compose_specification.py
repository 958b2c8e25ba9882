"""Every key of the compose specification is known here, and what becomes of it is said."""

import pytest

from cluster.compose.reading.keys import OWN, Fate, Row
from tests.repository.compose_page import levels
from tests.repository.compose_schema import differences

# The specification's keys at each level of a file, as its schema and its prose have them.
KEYS = {
    "The file": "configs include models name networks secrets services version volumes",
    "include[]": "env_file path project_directory",
    "services.NAME": (
        "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name"
        " cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset"
        " credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search domainname"
        " entrypoint env_file environment expose extends external_links extra_hosts gpus group_add healthcheck hostname"
        " image init ipc isolation label_file labels links logging mac_address mem_limit mem_reservation"
        " mem_swappiness memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid pids_limit"
        " platform ports post_start pre_stop privileged profiles provider pull_policy pull_refresh_after read_only"
        " restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt"
        " sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir"
    ),
    "services.NAME.blkio_config": (
        "device_read_bps device_read_iops device_write_bps device_write_iops weight weight_device"
    ),
    "services.NAME.blkio_config.device_*[]": "path rate",
    "services.NAME.blkio_config.weight_device[]": "path weight",
    "services.NAME.build": (
        "additional_contexts args cache_from cache_to context dockerfile dockerfile_inline entitlements extra_hosts"
        " isolation labels network no_cache platforms privileged provenance pull sbom secrets shm_size ssh tags target"
        " ulimits"
    ),
    "services.NAME.configs[] and secrets[]": "gid mode source target uid",
    "services.NAME.credential_spec": "config file registry",
    "services.NAME.depends_on.NAME": "condition required restart",
    "services.NAME.deploy": (
        "endpoint_mode labels mode placement replicas resources restart_policy rollback_config update_config"
    ),
    "services.NAME.deploy.placement": "constraints max_replicas_per_node preferences",
    "services.NAME.deploy.placement.preferences[]": "spread",
    "services.NAME.deploy.resources": "limits reservations",
    "services.NAME.deploy.resources.limits": "cpus memory pids",
    "services.NAME.deploy.resources.reservations": "cpus devices generic_resources memory",
    "services.NAME.deploy.resources.reservations.devices[]": "capabilities count device_ids driver options",
    "services.NAME.deploy.resources.reservations.generic_resources[]": "discrete_resource_spec",
    "services.NAME.deploy.resources.reservations.generic_resources[].discrete_resource_spec": "kind value",
    "services.NAME.deploy.restart_policy": "condition delay max_attempts window",
    "services.NAME.deploy.rollback_config": "delay failure_action max_failure_ratio monitor order parallelism",
    "services.NAME.deploy.update_config": "delay failure_action max_failure_ratio monitor order parallelism",
    "services.NAME.develop": "watch",
    "services.NAME.develop.watch[]": "action exec ignore include initial_sync path target",
    "services.NAME.devices[]": "permissions source target",
    "services.NAME.env_file[]": "format path required",
    "services.NAME.extends": "file service",
    "services.NAME.gpus[]": "capabilities count device_ids driver options",
    "services.NAME.healthcheck": "disable interval retries start_interval start_period test timeout",
    "services.NAME.logging": "driver options",
    "services.NAME.models.NAME": "endpoint_var model_var",
    "services.NAME.networks.NAME": (
        "aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address priority"
    ),
    "services.NAME.ports[]": "app_protocol host_ip mode name protocol published target",
    "services.NAME.post_start[] and pre_stop[]": "command environment privileged user working_dir",
    "services.NAME.provider": "options type",
    "services.NAME.ulimits.NAME": "hard soft",
    "services.NAME.volumes[]": "bind consistency image read_only source target tmpfs type volume",
    "services.NAME.volumes[].bind": "create_host_path propagation recursive selinux",
    "services.NAME.volumes[].image": "subpath",
    "services.NAME.volumes[].tmpfs": "mode size",
    "services.NAME.volumes[].volume": "labels nocopy subpath",
    "configs.NAME": "content environment external file labels name template_driver",
    "models.NAME": "context_size model name runtime_flags",
    "networks.NAME": "attachable driver driver_opts enable_ipv4 enable_ipv6 external internal ipam labels name",
    "networks.NAME.ipam": "config driver options",
    "networks.NAME.ipam.config[]": "aux_addresses gateway ip_range subnet",
    "secrets.NAME": "driver driver_opts environment external file labels name template_driver",
    "volumes.NAME": "driver driver_opts external labels name",
}


def test_every_level_of_the_specification_has_a_table():
    assert sorted(levels()) == sorted(KEYS)


@pytest.mark.parametrize("level", KEYS)
def test_every_key_has_a_reader_and_no_reader_is_of_no_key(level: str):
    assert sorted(key for key in levels()[level] if not key.startswith(OWN)) == sorted(KEYS[level].split())


def test_a_schema_is_told_from_the_tables_by_every_key_that_only_one_of_them_has():
    limit = {"oneOf": [{"type": "integer"}, {"properties": {"hard": {}, "firm": {}}, "patternProperties": {"^x-": {}}}]}
    service = {
        "properties": {
            "image": {},
            "frob": {"items": {"properties": {"nicate": {}}}},
            "ulimits": {"additionalProperties": limit},
        }
    }
    schema = {
        "properties": {"services": {"patternProperties": {"^[a-z]+$": {"$ref": "#/definitions/service"}}}},
        "definitions": {"service": service},
    }
    told = differences(schema)
    assert {
        "services.NAME: frob: of the schema alone",
        "services.NAME.frob[]: of the schema alone",
        "services.NAME: ports: of the tables alone",
        "services.NAME.ulimits.NAME: firm: of the schema alone",
        "services.NAME.ulimits.NAME: soft: of the tables alone",
        "networks.NAME: of the tables alone",
    } <= set(told)
    assert not any(line.startswith(("services.NAME: image:", "services.NAME.ulimits.NAME: hard:")) for line in told)


def test_what_becomes_of_a_key_that_is_not_acted_on_is_one_of_three_things():
    rows = [row for table in levels().values() for row in table.values() if isinstance(row, Row)]
    assert {row.fate for row in rows} == set(Fate)
