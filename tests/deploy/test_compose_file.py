"""docker-compose.yml is read by Docker Compose itself, which checks it against the Compose Specification's schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.compose import DOCUMENTED, FILE, compose, env_file, health_check, resolved

SERVICES = ("beat", "caddy", "mailpit", "migrate", "papers", "postgres", "redis", "web", "worker")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = resolved(tmp_path_factory.mktemp("compose"))["services"]
    return found


def test_it_is_yaml() -> None:
    assert sorted(yaml.safe_load(FILE.read_text())["services"]) == list(SERVICES)


def test_compose_accepts_it_with_the_documented_variables(services: dict[str, Any]) -> None:
    assert sorted(services) == list(SERVICES)


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_a_missing_variable_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(env_file(**DOCUMENTED | {name: ""}))
    done = compose(tmp_path, "config", "--quiet")
    assert done.returncode != 0
    assert f"Set {name} in .env. Make one with: openssl rand" in done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("read_only: true", "readonly: true", "readonly"),
        ("cap_drop: [ALL]", "cap_drop: ALL", "cap_drop"),
        ("networks: [proxy]", "networks: [prxy]", "prxy"),
    ],
)
def test_compose_would_refuse_a_mistake(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    """Else the tests above would show nothing."""
    (tmp_path / ".env").write_text(env_file(**DOCUMENTED))
    done = compose(tmp_path, "config", "--quiet", text=FILE.read_text().replace(right, wrong, 1))
    assert done.returncode != 0
    assert says in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service
    if "build" not in service:  # ours say USER in the Dockerfile
        assert service["user"] not in ("root", "0")


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_service_that_stays_has_a_health_check(services: dict[str, Any], name: str) -> None:
    assert health_check(services[name])


@pytest.mark.parametrize("name", ["caddy", "mailpit", "postgres", "redis"])
def test_images_of_others_are_pinned_to_a_patch_release(services: dict[str, Any], name: str) -> None:
    text = services[name]["image"]
    if "build" in services[name]:
        text = (FILE.parent / "deploy" / "caddy" / "Dockerfile").read_text().split()[1]
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-alpine)?$", text)


def test_only_the_web_server_shares_a_network_with_the_proxy(services: dict[str, Any]) -> None:
    def members(network: str) -> set[str]:
        return {name for name, service in services.items() if network in service["networks"]}

    assert members("proxy") == {"caddy", "web"}
    assert {"redis", "postgres"} < members("storage")
    assert not {"caddy", "mailpit"} & members("storage")
    for name in ("redis", "postgres"):
        assert list(services[name]["networks"]) == ["storage"]


def test_storage_has_no_way_out(tmp_path: Path) -> None:
    networks = resolved(tmp_path)["networks"]
    assert {name for name, network in networks.items() if network.get("internal")} == {"storage"}


def published(services: dict[str, Any]) -> dict[str, list[tuple[str, str, int]]]:
    return {
        name: [(port.get("host_ip", ""), port.get("published", ""), port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if service.get("ports")
    }


def test_without_a_domain_the_site_is_published_to_this_machine_only(services: dict[str, Any]) -> None:
    nobody_listens = [("", "", 8080), ("", "", 8443)]
    assert published(services) == {
        "caddy": [("127.0.0.1", "8000", 8001), *nobody_listens],
        "mailpit": [("127.0.0.1", "8025", 8025)],
    }
    assert services["web"]["environment"]["SITE_URL"] == "http://127.0.0.1:8000"
    assert services["caddy"]["environment"]["ADDRESS"] == "http://:8001"


def test_the_domain_alone_turns_on_tls(tmp_path: Path) -> None:
    services = resolved(tmp_path, DOMAIN="papers.example.org")["services"]
    assert published(services)["caddy"][1:] == [("", "80", 8080), ("", "443", 8443)]
    addresses = "https://papers.example.org, http://papers.example.org"
    assert services["caddy"]["environment"] == {"ADDRESS": addresses, "DOMAIN": "papers.example.org"}
    for name in ("web", "worker", "papers", "beat"):
        assert services[name]["environment"]["SITE_URL"] == "https://papers.example.org"


def test_a_proxy_of_the_operator_needs_the_sites_address_only(tmp_path: Path) -> None:
    services = resolved(tmp_path, SITE_URL="https://papers.example.org")["services"]
    assert services["web"]["environment"]["SITE_URL"] == "https://papers.example.org"
    assert services["caddy"]["environment"]["ADDRESS"] == "http://:8001"


def test_what_the_example_leaves_empty_does_not_undo_production(services: dict[str, Any]) -> None:
    """.env reaches the containers whole; what must hold there is set beside it."""
    for name in ("web", "worker", "papers", "beat", "migrate"):
        environment = services[name]["environment"]
        assert environment["EMBEDDED"] == "0"
        assert environment["TRUSTED_PROXIES"] == "1"
        assert environment["DATA_DIR"] == "/data"
        assert environment["PGPASSWORD"] == DOCUMENTED["POSTGRES_PASSWORD"]


def test_the_mail_catcher_starts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(env_file(**DOCUMENTED))
    assert "mailpit" not in compose(tmp_path, "config", "--services").stdout.split()
    (tmp_path / ".env").write_text(env_file(**DOCUMENTED) + "COMPOSE_PROFILES=mailpit\n")
    assert "mailpit" in compose(tmp_path, "config", "--services").stdout.split()
