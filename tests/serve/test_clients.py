"""Who a request comes from, as far as that can be known."""

import pytest

from eyespot.errors import OptionError
from eyespot.serve.clients import forwarded_for, is_here, place_of, proxies_of
from eyespot.serve.run import ServeOptions

HERE = "2001:db8:0:1::5"


@pytest.mark.parametrize(
    ("host", "here", "place"),
    [
        ("192.168.1.7", "192.168.1.2", "192.168.1.7"),
        ("127.0.0.2", "127.0.0.1", "127.0.0.2"),
        ("::1", "::1", "::1"),
        ("::ffff:10.0.0.9", "::", "10.0.0.9"),
        ("2001:db8:7:7::1", HERE, "2001:db8:7:7::/64"),
        ("2001:db8:7:7:ffff:ffff:ffff:ffff", HERE, "2001:db8:7:7::/64"),
        ("2001:db8:0:1::77", HERE, "2001:db8:0:1::77"),
        ("fe80::1%eth0", "fe80::2%eth0", "fe80::1"),
        ("testclient", "", "testclient"),
    ],
)
def test_a_place_is_an_address_or_a_network_that_is_all_one_clients(host, here, place):
    assert place_of(host, here) == place


def test_this_computer_is_told_from_others():
    assert [is_here(each) for each in ("127.0.0.1", "127.3.2.1", "::1", "10.0.0.1", "2001:db8::/64", "")] == [
        *(True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ([], None),
        ([b"198.51.100.7"], "198.51.100.7"),
        ([b"1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ([b"1.1.1.1", b"198.51.100.7"], "198.51.100.7"),
        ([b"198.51.100.7, 10.0.0.6"], "198.51.100.7"),
        ([b"2001:db8:7:7::1"], "2001:db8:7:7::/64"),
        ([b"198.51.100.7, unknown"], None),
        ([b"10.0.0.5"], None),
        ([b"\xff" * 9000], None),
    ],
)
def test_of_what_a_proxy_says_only_its_own_word_is_believed(said, client):
    headers = [(b"host", b"x"), *((b"x-forwarded-for", each) for each in said)]
    assert forwarded_for(headers, frozenset({"10.0.0.5", "10.0.0.6"})) == client


def test_proxies_are_addresses():
    assert proxies_of(["10.0.0.5", " ::1"]) == {"10.0.0.5", "::1"}
    for wrong in ("proxy.example", "10.0.0.0/8", "", "10.0.0.5,"):
        with pytest.raises(OptionError, match="the option proxy names the address of a proxy"):
            ServeOptions(proxy=wrong or "x")


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), float("inf")])
def test_a_deadline_is_a_time(deadline):
    with pytest.raises(OptionError, match="the option deadline must be more than 0 seconds"):
        ServeOptions(deadline=deadline)
