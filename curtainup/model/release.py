"""Releases and traffic: what an environment is made of, and the moves between its states.

An environment is a list of immutable releases, oldest first, and a traffic split in whole per cent.
A release carries the resolved snapshot of everything that it runs with; the program renders it from
its own entry alone, so editing `pym-config.yaml` can never replace a container that serves.

The moves (`stage`, `shift`, `retract`) are pure: they take a `Deployment` and return another one,
which becomes real by an ordinary `pulumi up`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

from curtainup.errors import StateError, UnknownRelease
from curtainup.model.release_settings import Settings

ID_LENGTH = 7


class StrictModel(BaseModel):
    """A frozen model that refuses unknown fields."""

    # Entries of stack configuration hold secrets: what is wrong with one is said without showing it.
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Address(StrictModel):
    """Where a release is reached on a Docker host: fixed, so that a reboot changes nothing.

    Attributes:
        ip: its address on the environment's network, used by the proxy.
        port: its own port on the host's loopback interface.

    """

    ip: str
    port: int

    @property
    def url(self) -> str:
        """Where the release is reached alone, from the Docker host itself."""
        return f"http://127.0.0.1:{self.port}"


class Release(StrictModel):
    """An immutable thing that can serve.

    Attributes:
        id: a letter and a short hash of image, settings and secrets, as `release_id` makes it.
        version: for people; the id is what tells releases apart.
        image: `repository@sha256:…`.
        settings: the snapshot that it runs with, of the type that its target has for that.
        attempt: how often this image failed to start with these settings on a target that never takes a name
            twice; part of the id.
        secrets_hmac: keyed HMAC of its secrets, hexadecimal; empty when it has none.
        address: where it is reached, on targets that give it a fixed place.

    """

    id: str = Field(pattern=r"^r[0-9a-f]{7}$")
    version: str
    image: str
    settings: SerializeAsAny[Settings]
    attempt: int = 0
    secrets_hmac: str = ""
    address: Address | None = None


class Deployment(StrictModel):
    """The releases of one environment, oldest first, and how its traffic is split over them.

    Attributes:
        releases: what can serve.
        traffic: whole per cent by release id; sums to 100, or to 0 before the first release is proven.
        candidate: the release that was staged and is not proven; it has no traffic, or no longer any.
        working: the release whose processes run, which is the last that had all traffic.

    Raises:
        pydantic.ValidationError: ids repeat, traffic names an unknown release or sums to something else.

    """

    releases: tuple[Release, ...] = ()
    traffic: dict[str, int] = Field(default_factory=dict)
    candidate: str | None = None
    working: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _works_with_all_traffic(cls, given: Any) -> Any:
        shares = given.get("traffic") if isinstance(given, dict) and not given.get("working") else None
        if not isinstance(shares, dict):
            return given
        return {**given, "working": next((one for one, share in shares.items() if share == 100), None)}

    @model_validator(mode="after")
    def _consistent(self) -> Deployment:
        ids = [release.id for release in self.releases]
        if len(set(ids)) != len(ids):
            raise ValueError(f"releases repeat an id: {ids}")
        unknown = sorted(set(self.traffic) - set(ids))
        if unknown:
            raise ValueError(f"traffic names {unknown}, which are not among the releases {ids}")
        if self.working is not None and self.working not in ids:
            raise ValueError(f"processes of {self.working} run, which is not among the releases {ids}")
        if any(percent < 0 for percent in self.traffic.values()):
            raise ValueError(f"traffic holds a negative per cent: {self.traffic}")
        if sum(self.traffic.values()) not in {0, 100}:
            raise ValueError(f"traffic sums to {sum(self.traffic.values())}, not 100: {self.traffic}")
        return self

    def find(self, release_id: str) -> Release | None:
        """Return the release of that id, or None."""
        return next((release for release in self.releases if release.id == release_id), None)

    def at_work(self) -> Release | None:
        """Return the release that had all traffic last, with its processes and schedules, or None."""
        return self.find(self.working or "")

    def serving(self) -> Release | None:
        """Return the release with the largest share of traffic, or None when none has any."""
        carrying = [release for release in self.releases if self.traffic.get(release.id)]
        return max(carrying, key=lambda release: self.traffic[release.id], default=None)

    def besides(self, release_id: str) -> Release | None:
        """Return the release with the largest share of traffic besides another one, or None."""
        others = [one for one in self.releases if self.traffic.get(one.id) and one.id != release_id]
        return max(others, key=lambda one: self.traffic[one.id], default=None)

    def served_before(self) -> Release | None:
        """Return the release that had all traffic before it was split; None while it is not split.

        A version that did not remember `working` leaves it open; then the newest release is the newcomer.
        """
        split = [one for one in self.releases if 0 < self.traffic.get(one.id, 0) < 100]
        known = next((one for one in split if one.id == self.working), None)
        return known or max(split[:-1], key=lambda one: self.traffic[one.id], default=None)

    def newcomer(self) -> Release | None:
        """Return the release to which a canary gives a part of the traffic; None while it is not split."""
        before = self.served_before()
        return self.besides(before.id) if before is not None else None

    def is_undecided(self, release_id: str) -> bool:
        """Return whether a release is the candidate, or has only a part of the traffic."""
        return release_id == self.candidate or 0 < self.traffic.get(release_id, 0) < 100


def secrets_hmac(secrets: Mapping[str, str], key: bytes) -> str:
    """Return the keyed HMAC-SHA256 of the secrets, hexadecimal; empty when there are none."""
    if not secrets:
        return ""
    message = json.dumps(dict(secrets), sort_keys=True, ensure_ascii=False).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def release_id(image: str, settings: Settings, secrets_digest: str, attempt: int = 0) -> str:
    """Return the id of a release: the same image, settings, secrets and attempt always give the same one."""
    digest = image.rpartition("@")[2]
    parts = [digest, settings.model_dump(mode="json"), secrets_digest, *([attempt] if attempt else [])]
    return "r" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:ID_LENGTH]


def stage(deployment: Deployment, release: Release, keep: int, needed: str | None = None) -> Deployment:
    """Add a release without traffic, and drop what is beyond `keep`.

    Once the new one has the traffic, the newest `keep` others stay: the one that serves now is the
    first of them, and it stays in any case, as does the one of the id `needed`. An earlier candidate,
    which was never proven, goes. A release that is there already is staged again as it is.
    """
    known = deployment.find(release.id)
    idle = [
        old.id
        for old in deployment.releases
        if not deployment.traffic.get(old.id) and old.id not in {release.id, deployment.candidate}
    ]
    serving = deployment.serving()
    outgoing = serving is not None and serving.id != release.id
    allowed = max(0, keep - outgoing)
    dropped = set(idle[: max(0, len(idle) - allowed)]) - {needed}
    if deployment.candidate not in {None, release.id}:
        dropped.add(deployment.candidate or "")
    kept = [old for old in deployment.releases if old.id not in dropped]
    traffic = {old.id: deployment.traffic.get(old.id, 0) for old in kept}
    if known is None:
        kept.append(release)
        traffic[release.id] = 0
    candidate = None if traffic[release.id] else release.id
    return Deployment(
        releases=tuple(kept), traffic=traffic, candidate=candidate, working=_working(deployment, kept)
    )


def retired(deployment: Deployment, keep: int) -> Deployment:
    """Return the deployment with the newest `keep` releases without traffic alone; a candidate goes too."""
    idle = [one.id for one in deployment.releases if not deployment.traffic.get(one.id)]
    gone = {*idle[: max(0, len(idle) - keep)], deployment.candidate}
    rest = tuple(one for one in deployment.releases if one.id not in gone)
    traffic = {one.id: deployment.traffic.get(one.id, 0) for one in rest}
    return Deployment(releases=rest, traffic=traffic, working=_working(deployment, rest))


def shift(deployment: Deployment, release_id: str, percent: int = 100) -> Deployment:
    """Give a release that share of the traffic; the release that serves most keeps the rest.

    The processes of the release before go on until it has all traffic. If the newcomer of a split loses its
    part, it is a candidate again, as it was not proven.

    Raises:
        UnknownRelease: the deployment does not hold it.

    """
    _require(deployment, release_id)
    traffic = {release.id: 0 for release in deployment.releases}
    serving, newcomer = deployment.serving(), deployment.newcomer()
    if percent < 100 and serving is not None and serving.id != release_id:
        traffic[serving.id] = 100 - percent
        traffic[release_id] = percent
        working = deployment.working
    else:
        traffic[release_id] = 100
        working = release_id
    candidate = None if deployment.candidate == release_id else deployment.candidate
    if newcomer is not None and not traffic[newcomer.id]:
        candidate = candidate or newcomer.id
    return Deployment(releases=deployment.releases, traffic=traffic, candidate=candidate, working=working)


def instead(deployment: Deployment, release_id: str, other: Release) -> Deployment:
    """Return the deployment with another release in the place of one; without that one it stays as it is."""

    def named(one: str | None) -> str | None:
        return other.id if one == release_id else one

    return Deployment(
        releases=tuple(other if one.id == release_id else one for one in deployment.releases),
        traffic={named(one) or one: share for one, share in deployment.traffic.items()},
        candidate=named(deployment.candidate),
        working=named(deployment.working),
    )


def retract(deployment: Deployment, release_id: str) -> Deployment:
    """Take a release away; its traffic goes to nobody, so only the only release may have any.

    Raises:
        UnknownRelease: the deployment does not hold it.
        StateError: it has traffic, and other releases are there that could carry it.

    """
    _require(deployment, release_id)
    rest = tuple(release for release in deployment.releases if release.id != release_id)
    if rest and deployment.traffic.get(release_id):
        raise StateError(
            f"release {release_id} still has {deployment.traffic[release_id]} % of the traffic",
            consequence="it was not removed",
            fix="give its traffic to another release first: curtainup rollback",
        )
    traffic = {old.id: deployment.traffic.get(old.id, 0) for old in rest}
    candidate = None if deployment.candidate == release_id else deployment.candidate
    return Deployment(releases=rest, traffic=traffic, candidate=candidate, working=_working(deployment, rest))


def withdraw(deployment: Deployment, release_id: str) -> Deployment:
    """Take a release away; what traffic it has goes to the release that has most besides it.

    Raises:
        UnknownRelease: the deployment does not hold it.
        StateError: it has traffic, and no other release has any.

    """
    _require(deployment, release_id)
    other = deployment.besides(release_id)
    if deployment.traffic.get(release_id) and other is not None:
        deployment = shift(deployment, other.id)
    return retract(deployment, release_id)


def retreat(deployment: Deployment, before: Deployment, held: Collection[str] = ()) -> list[Deployment]:
    """Return the deployments that lead back to `before`, one update each.

    Traffic goes back first. Only then is removed what came after: a release that carries traffic, or that
    an update which was cut off meant to give some, is protected, and the update without it lifts that. Until
    then it is a candidate: if the driver is killed between the two, nobody takes it for proven.

    Args:
        deployment: as it is.
        before: as it is to be.
        held: ids of releases that are protected though they have no traffic.

    """
    later = [one for one in deployment.releases if before.find(one.id) is None]
    if not any(deployment.traffic.get(one.id) or one.id in held for one in later):
        return [before]
    traffic = {**before.traffic, **{one.id: 0 for one in later}}
    releases, candidate = (*before.releases, *later), before.candidate or later[-1].id
    first = Deployment(releases=releases, traffic=traffic, candidate=candidate, working=before.working)
    return [first, before]


def called(deployment: Deployment, wanted: str) -> list[Release]:
    """Return the releases of that id or version, or else those whose id or version begins so."""
    exact = [one for one in deployment.releases if wanted in (one.id, one.version)]
    return exact or [
        one for one in deployment.releases if one.id.startswith(wanted) or one.version.startswith(wanted)
    ]


def resolve(deployment: Deployment, wanted: str) -> Release:
    """Return the newest kept release of that id or version (or a unique beginning of either).

    Raises:
        UnknownRelease: none or several match.

    """
    found = called(deployment, wanted)
    if found and (len(found) == 1 or wanted in (found[-1].id, found[-1].version)):
        return found[-1]
    kept = ", ".join(f"{release.version} ({release.id})" for release in deployment.releases) or "none"
    what = f"{len(found)} kept releases match {wanted!r}" if found else f"no kept release matches {wanted!r}"
    raise UnknownRelease(
        what,
        where=f"kept releases: {kept}",
        consequence="traffic has not moved",
        fix="name one of the kept releases, or deploy the commit you want again",
    )


def _working(deployment: Deployment, rest: Sequence[Release]) -> str | None:
    """Return the release whose processes go on running, if it is among those that remain."""
    return next((one.id for one in rest if one.id == deployment.working), None)


def _require(deployment: Deployment, release_id: str) -> None:
    if deployment.find(release_id) is None:
        raise UnknownRelease(
            f"no release {release_id}",
            where=f"kept releases: {', '.join(r.id for r in deployment.releases) or 'none'}",
            consequence="traffic has not moved",
        )
