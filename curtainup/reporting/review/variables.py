"""Reads the variables of a CI job; the errors name the variable that is missing or wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping

import requests
from requests.auth import AuthBase

from curtainup.errors import ReviewFailed
from curtainup.util.secrets import Secret

USABLE = re.compile(r"[\x21-\x7e]+")


def variable(environ: Mapping[str, str], name: str, host: str, fix: str) -> str:
    """Return the variable's value without surrounding blanks.

    Raises:
        ReviewFailed: it is not set, or empty.

    """
    value = environ.get(name, "").strip()
    if not value:
        raise ReviewFailed(f"{name} is not set", where=f"the variables of this job of {host}", fix=fix)
    return value


def number(environ: Mapping[str, str], name: str, host: str, fix: str) -> int:
    """Return the variable's value as a positive whole number; see `variable`."""
    value = variable(environ, name, host, fix)
    if not re.fullmatch("[0-9]+", value):
        raise ReviewFailed(
            f"{name} is not a number: {value}", where=f"the variables of this job of {host}", fix=fix
        )
    return int(value)


def token(environ: Mapping[str, str], name: str, host: str, fix: str) -> Secret:
    """Return the variable's value as a token that a header can carry; see `variable`."""
    value = variable(environ, name, host, fix)
    if not USABLE.fullmatch(value):
        raise ReviewFailed(
            f"{name} is not a token: it contains blanks or characters outside of ASCII",
            where=f"the variables of this job of {host}",
            fix=fix,
        )
    return Secret(value)


class Header(AuthBase):
    """Puts a token into a header; requests gets it as `auth`, so that `.netrc` does not replace it."""

    def __init__(self, name: str, token: Secret, scheme: str = "") -> None:
        self._name = name
        self._token = token
        self._scheme = scheme

    def __call__(self, call: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a call."""
        call.headers[self._name] = f"{self._scheme} {self._token.reveal()}".strip()
        return call
