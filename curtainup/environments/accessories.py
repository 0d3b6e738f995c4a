"""The accessories of an environment: what they are to be, what they are, and how they are made.

They are in a stack of their own. A deployment makes those that are missing, and then only looks at them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from curtainup.config.accessories import STOP_SECONDS
from curtainup.config.accessories import Accessory as Wanted
from curtainup.engine.changes import OperationResult
from curtainup.engine.memory import is_remainder
from curtainup.environments import accessories_kept
from curtainup.environments import accessory_refusals as refusals
from curtainup.environments.accessories_kept import Kept
from curtainup.errors import Interrupted
from curtainup.model.accessories import AccessoriesSettings, Accessory, container
from curtainup.model.release import secrets_hmac
from curtainup.platforms.docker import accessory as containers
from curtainup.platforms.docker import networks, placement
from curtainup.platforms.docker.labels import new_state
from curtainup.session import Session
from curtainup.targets import engines
from curtainup.util.secrets import Secret

SHORT: Final = 5.0
"""For how many seconds an accessory that is there may be unwell before it counts as down."""
PAUSE: Final = 0.5
START_SECONDS: Final = 60
"""How many seconds one may take that is not configured any more."""
LONGEST_LOOK: Final = 30.0
"""Seconds that one run of `health` may take."""


class Accessories:
    """The accessories of one environment."""

    def __init__(self, session: Session, name: str) -> None:
        """Take them as they are.

        Args:
            session: the command's.
            name: of the environment.

        """
        self._session = session.at(name)
        self.environment = name
        self.config = session.service.config.for_environment(name)
        self.stack = session.service.names.accessories(name)

    # What is there, and what is to be

    @cached_property
    def kept(self) -> Kept:
        """What Pulumi remembers of them.

        Raises:
            StateError: the stack holds something else, or cannot be read.

        """
        service = self.config.service
        return accessories_kept.read(self._session.state.memory, self.stack, service, self.environment)

    @property
    def there(self) -> dict[str, Accessory]:
        """Those that were made, by name."""
        kept = self.kept
        known = kept.settings.accessories if kept.settings else ()
        return {one.name: one for one in known if one.name in kept.made}

    @cached_property
    def wanted(self) -> dict[str, Accessory]:
        """Those that are configured, by name, as they would be made today."""
        return {name: self._made_of(name, one) for name, one in sorted(self.config.accessories.items())}

    @property
    def missing(self) -> list[str]:
        """The names of those that are configured and were never made."""
        return [name for name in sorted(self.config.accessories) if name not in self.there]

    @property
    def gone(self) -> list[str]:
        """The names of those that are there and no longer configured."""
        return [name for name in self.there if name not in self.config.accessories]

    def changed(self) -> dict[str, list[str]]:
        """Return by name the keys of those whose containers are made from something else than configured."""
        pairs = {name: (self.there[name], one) for name, one in self.wanted.items() if name in self.there}
        found = {name: accessories_kept.differences(old, new) for name, (old, new) in pairs.items()}
        return {name: keys for name, keys in found.items() if keys}

    def container(self, name: str) -> str:
        """Return the name of an accessory's container, and of its volume."""
        return container(self.config.service, self.environment, name)

    # Before anything is built

    def require_ready(self, *, well: bool = True) -> None:
        """Check that what is missing can be made, and that what is there is well.

        Args:
            well: whether to look at those that are there.

        Raises:
            RefusedError: a name or a volume belongs to something else, or they are on another Docker engine.
            SetupError: an image is not to be had.
            AccessoryFailed: one that is there is down.

        """
        settings, client = self.kept.settings, self._session.accounts.docker
        if settings is not None:
            engines.require_same(self._session, settings.engine, f"what is beside {self.environment}")
        refusals.require_names(client, self.config)
        for name in self.missing:
            refusals.require_own_volume(client, self.container(name), self.wanted[name], settings)
        for name in self.there:
            if well and name in self.config.accessories:
                self.require_well(name, SHORT)

    def require_well(self, name: str, patience: float | None = None) -> float:
        """Wait until an accessory is well; return for how many seconds.

        Args:
            name: of the accessory.
            patience: seconds to wait; None is its `start_timeout`.

        Raises:
            AccessoryFailed: it is not, when that time is over.
            Interrupted: the run was cancelled.

        """
        began, wanted = time.monotonic(), self.config.accessories.get(name)
        start = wanted.start_timeout if wanted else START_SECONDS
        seconds = start if patience is None else patience
        while (trouble := self.trouble(name)) is not None:
            if time.monotonic() - began > seconds:
                raise refusals.down(self, name, trouble, self._log(name))
            if self._session.run.cancelled.wait(PAUSE):
                raise Interrupted(f"interrupted while waiting for {name}", where=f"stack {self.stack}")
        return time.monotonic() - began

    def trouble(self, name: str) -> str | None:
        """Return in words what is wrong with an accessory; None if it is well."""
        found = self.inspected(name)
        if found is None:
            return "its container is gone"
        state = found["State"]
        if state["Status"] != "running":
            code = (
                f" with exit code {state['ExitCode']}" if state["Status"] in {"exited", "restarting"} else ""
            )
            return f"its container is {state['Status']}{code}"
        return self._unhealthy(name)

    def _unhealthy(self, name: str) -> str | None:
        """Return in words how `health` fails; None if it does not, or if none is configured."""
        wanted = self.config.accessories.get(name)
        if wanted is None or wanted.health is None:
            return None
        client, container = self._session.accounts.docker, self.container(name)
        answer = containers.ask(client, container, wanted.health, LONGEST_LOOK)
        if answer.is_good:
            return None
        code = "" if answer.code is None else f" with exit code {answer.code}"
        return f"`health` fails{code}: {self._session.service.redact(answer.output) or 'it says nothing'}"

    def inspected(self, name: str) -> dict[str, Any] | None:
        """Return what the Docker engine tells of an accessory's container; None if there is none.

        Raises:
            SetupError: the engine does not answer.

        """
        return containers.inspected(self._session.accounts.docker, self.container(name))

    def is_running(self, name: str) -> bool:
        """Return whether an accessory's container runs."""
        found = self.inspected(name)
        return found is not None and found["State"]["Status"] == "running"

    # Changes

    def start(self, name: str) -> None:
        """Start an accessory's container, if it does not run."""
        if not self.is_running(name):
            containers.start(self._session.accounts.docker, self.container(name))

    def restart(self, name: str) -> None:
        """Restart an accessory's container; it has as long as when it is removed to end."""
        containers.restart(self._session.accounts.docker, self.container(name), STOP_SECONDS)

    def to_make(self, names: Sequence[str]) -> AccessoriesSettings:
        """Return the settings with these as they are configured, and the others as they are."""
        known = self.kept.settings or self._first()
        merged = {**self.there, **{name: self.wanted[name] for name in names}}
        return known.model_copy(update={"accessories": tuple(merged[name] for name in sorted(merged))})

    def preview(self, settings: AccessoriesSettings) -> OperationResult:
        """Return what making them would change; a preview needs no values of secrets."""
        names = {name: json.dumps({}) for name, one in self.wanted.items() if one.secrets_hmac}
        config = self._configured(settings, {**names, **self.kept.sealed})
        return self._session.state.engine.preview(self.stack, config)

    def apply(
        self, settings: AccessoriesSettings, say: Callable[[str], None], *, anew: tuple[str, ...] = ()
    ) -> None:
        """Make accessories what the settings say, and wait until the new ones are well.

        Args:
            settings: from `to_make`, or with less than there is.
            say: told what is under way.
            anew: the names of those whose containers are replaced; their volumes stay.

        Raises:
            CurtainupError: the update failed.
            AccessoryFailed: one of them does not become well.

        """
        self._begin_anew()
        new = [one.name for one in settings.accessories if one.name not in self.there or one.name in anew]
        for name in new:
            refusals.require_image(self._session.accounts.docker, settings, name, say)
        sealed = {name: text for name, text in self.kept.sealed.items() if settings.find(name)}
        sealed |= {name: self._sealed(name) for name in new if self.wanted[name].secrets_hmac}
        self._unprotect(lambda urn: urn.rpartition("::")[2] in {f"{self.stack}-{name}" for name in anew})
        config = self._configured(settings, sealed)
        self._session.state.engine.up(self.stack, config, say, refresh=bool(self.there))
        self.__dict__.pop("kept", None)
        for name in new:
            say(f"waiting until {name} is well")
            self.require_well(name)

    def remove(self, name: str, say: Callable[[str], None]) -> None:
        """Remove an accessory with its data; with the last of them goes their stack, if no release needs it.

        Raises:
            CurtainupError: it could not be removed.

        """
        settings = self.kept.settings
        if settings is None:
            return
        left = tuple(one for one in settings.accessories if one.name in self.there and one.name != name)
        own = {f"{self.stack}-{name}", f"{self.stack}-{name}-data"}
        if not left and not self._session.state.memory.read(self._environment_stack).exists:
            self.destroy(say)
            return
        self._unprotect(lambda urn: urn.rpartition("::")[2] in own)
        self.apply(settings.model_copy(update={"accessories": left}), say)

    @property
    def _environment_stack(self) -> str:
        return self._session.service.names.environment(self.environment)

    def destroy(self, say: Callable[[str], None]) -> None:
        """Remove all of them with their data, and their stack.

        Raises:
            CurtainupError: something of it could not be removed.

        """
        if not self._session.state.memory.read(self.stack).exists:
            return
        self._unprotect(lambda _: True)
        networks.leave_all(self._session.accounts.docker, self.stack)
        self._session.state.engine.destroy(self.stack, say)
        self.__dict__.pop("kept", None)

    # Parts

    def _made_of(self, name: str, wanted: Wanted) -> Accessory:
        return Accessory(
            name=name,
            image=wanted.image,
            volume=wanted.volume or "",
            command=wanted.command or (),
            env=dict(wanted.env),
            memory_mb=wanted.memory_limit,
            stop_timeout=STOP_SECONDS,
            secrets_hmac=self._hmac(name, wanted),
        )

    def _hmac(self, name: str, wanted: Wanted) -> str:
        """Return the HMAC of an accessory's secrets; that of when it was made if one is not at hand."""
        if not wanted.env_secrets:
            return ""
        if not set(wanted.env_secrets) <= set(self._session.service.secrets):
            return self.there[name].secrets_hmac if name in self.there else ""
        values = {one: secret.reveal() for one, secret in self._secrets(wanted).items()}
        return secrets_hmac(values, self._session.hmac_key)

    def _secrets(self, wanted: Wanted) -> dict[str, Secret]:
        return {one: self._session.service.secrets[one] for one in wanted.env_secrets}

    def _sealed(self, name: str) -> Any:
        values = self._secrets(self.config.accessories[name])
        document = json.dumps({one: secret.reveal() for one, secret in values.items()})
        return self._session.state.engine.seal(self.stack, {}, "sealing", document)

    def _configured(self, settings: AccessoriesSettings, sealed: Mapping[str, Any]) -> dict[str, Any]:
        document = settings.model_dump(mode="json")
        return {"service": settings.service, "accessories": document, "sealed": dict(sealed)}

    def _first(self) -> AccessoriesSettings:
        """Return the settings of accessories that there never were, with a network that nobody else has."""
        client = self._session.accounts.docker
        subnet = placement.subnet(self.stack, networks.subnets(client), networks.routed(client))
        return AccessoriesSettings(
            service=self.config.service,
            environment=self.environment,
            subnet=subnet,
            state=new_state(),
            engine=self._session.accounts.engine_id,
        )

    def _begin_anew(self) -> None:
        """Remove what a first update had made when it was cut off; nobody has used it."""
        memory = self._session.state.memory
        if is_remainder(memory, self.stack, memory.read(self.stack)):
            self._unprotect(lambda _: True)
            self._session.state.engine.destroy(self.stack)

    def _unprotect(self, is_one: Callable[[str], bool]) -> None:
        found = self._session.state.memory.read(self.stack).resources
        urns = [str(one["urn"]) for one in found if one.get("protect") and is_one(str(one["urn"]))]
        if urns:
            self._session.state.engine.unprotect(self.stack, urns)

    def _log(self, name: str) -> str:
        text = containers.last_lines(self._session.accounts.docker, self.container(name))
        return self._session.service.redact(text)
