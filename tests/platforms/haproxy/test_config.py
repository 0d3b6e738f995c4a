from __future__ import annotations

import pytest

from curtainup.platforms.haproxy import config
from curtainup.platforms.haproxy.config import Server

BLUE = Server("r1", "10.0.0.3:8000", 100)
GREEN = Server("r2", "10.0.0.4:8000", 0)


def test_the_file_lists_the_releases_with_their_weights() -> None:
    text = config.render([BLUE, GREEN], request_timeout=30)
    assert text.endswith("    server r1 10.0.0.3:8000 weight 100\n    server r2 10.0.0.4:8000 weight 0\n")
    assert "set-var proc.request_timeout int(30000)" in text


def test_a_proxy_without_releases_has_a_file_too() -> None:
    assert "    server " not in config.render((), request_timeout=30)


def test_a_release_that_traffic_does_not_name_gets_none() -> None:
    found = config.servers({"r1": "10.0.0.3:8000", "r2": "10.0.0.4:8000"}, {"r1": 100})
    assert found == {"r1": BLUE, "r2": GREEN}


def test_nothing_moves_when_all_is_as_wanted() -> None:
    assert config.moves({"r1": BLUE}, {"r1": BLUE}) == []


def test_a_new_release_is_added_without_traffic_before_it_gets_any() -> None:
    assert config.moves({}, {"r1": BLUE}) == [
        "add server releases/r1 10.0.0.3:8000 weight 0",
        "set server releases/r1 state ready",
        "set server releases/r1 weight 100",
    ]


def test_weights_rise_before_they_fall() -> None:
    wanted = {"r1": Server("r1", BLUE.address, 0), "r2": Server("r2", GREEN.address, 100)}
    assert config.moves({"r1": BLUE, "r2": GREEN}, wanted) == [
        "set server releases/r2 weight 100",
        "set server releases/r1 weight 0",
    ]


def test_a_moved_release_that_somebody_took_out_comes_back() -> None:
    somewhere_else = {"r1": Server("r1", "10.0.0.9:8000", 100, ready=False)}
    assert config.moves(somewhere_else, {"r1": BLUE}) == [
        "set server releases/r1 addr 10.0.0.3 port 8000",
        "set server releases/r1 state ready",
    ]


def test_a_removed_release_gets_nothing_new_before_it_is_deleted() -> None:
    assert config.removals({"r1": BLUE, "r2": GREEN}, {"r1": BLUE}) == [
        "set server releases/r2 state maint",
        "del server releases/r2",
    ]


def test_force_closes_its_sessions() -> None:
    assert config.removals({"r2": GREEN}, {}, force=True) == [
        "set server releases/r2 state maint",
        "shutdown sessions server releases/r2",
        "del server releases/r2",
    ]


def test_the_servers_of_other_pools_are_not_ours() -> None:
    lines = [
        "1",
        "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight",
        "3 releases 1 r1 10.0.0.3 2 0 100 1 7 1 0 0 0 0 0 0 - 8000 - 0 0 - - 0",
        "3 releases 2 r2 10.0.0.4 0 1 0 0 7 1 0 0 0 0 0 0 - 8000 - 0 0 - - 0",
        "4 others 1 r3 10.0.0.5 2 0 100 1 7 1 0 0 0 0 0 0 - 8000 - 0 0 - - 0",
        "",
    ]
    taken_out = Server("r2", "10.0.0.4:8000", 0, ready=False)
    assert config.parse_servers(lines) == {"r1": BLUE, "r2": taken_out}


def test_another_pool_has_servers_of_its_own() -> None:
    assert config.moves({}, {"r1": BLUE}, "pool3")[0] == f"add server pool3/r1 {BLUE.address} weight 0"
    assert config.removals({"r1": BLUE}, {}, "pool3") == [
        "set server pool3/r1 state maint",
        "del server pool3/r1",
    ]
    line = "4 pool3 1 r1 10.0.0.3 2 0 100 1 5 1 0 0 0 0 0 0 - 8000 - 0 0 - - 0"
    assert config.parse_servers([line], "pool3") == {"r1": Server("r1", "10.0.0.3:8000", 100)}
    assert config.parse_servers([line], "pool1") == config.parse_servers([line]) == {}


@pytest.mark.parametrize(
    "server",
    [
        Server("r1\n    server evil 10.0.0.9:80", "10.0.0.3:80", 100),
        Server("r1", "10.0.0.3:80 weight 256", 100),
        Server("r1", "10.0.0.3:80\r", 100),
        Server("", "10.0.0.3:80", 100),
        Server("r1;shutdown", "10.0.0.3:80", 100),
    ],
)
def test_no_value_is_more_than_one_word_of_the_file_or_of_a_command(server: Server) -> None:
    with pytest.raises(ValueError, match="cannot be a word of HAProxy's configuration"):
        config.render([server], request_timeout=60)
    with pytest.raises(ValueError, match="cannot be a word of HAProxy's configuration"):
        config.moves({}, {server.release: server})


def test_nor_is_the_address_that_may_read_the_statistics() -> None:
    with pytest.raises(ValueError, match="cannot be a word"):
        config.render([], request_timeout=60, gateway="10.0.0.1 }\n    stats admin if TRUE #")


def test_behind_a_door_only_it_and_this_machine_say_for_whom_they_ask() -> None:
    text = config.render((), request_timeout=30, gateway="10.213.0.1", door="10.213.9.2")
    assert "    acl believed src 10.213.9.2 127.0.0.0/8 10.213.0.1\n" in text
    for header in ("For", "Host", "Proto"):
        assert f"    http-request del-header X-Forwarded-{header} unless believed\n" in text
    assert "    http-request del-header SCRIPT_NAME\n    http-request del-header PATH_INFO\n" in text
    assert "    option forwardfor except 10.213.9.2\n" in text
    assert text.index("del-header X-Forwarded-Proto") < text.index("set-header X-Forwarded-Proto")


def test_without_a_door_everybody_in_front_is_believed() -> None:
    text = config.render((), request_timeout=30)
    assert "    option forwardfor\n    http-request set-header X-Forwarded-Proto" in text
    assert "believed" not in text
