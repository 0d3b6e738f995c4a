"""What both halves of `podium` know: the settings of an environment, and those of a release."""

from __future__ import annotations

from typing import Literal

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release_settings import Settings


class PodiumEnvironment(EnvironmentSettings):
    """An environment on a podium.

    Attributes:
        port: the loopback port that users reach.
        proxy_image: the image of the proxy.

    """

    target: Literal["podium"] = "podium"
    port: int
    proxy_image: str

    @property
    def url(self) -> str:
        """Where users reach the environment."""
        return f"http://127.0.0.1:{self.port}"


class PodiumSettings(Settings):
    """The settings of a release: its memory in MiB."""

    memory_mb: int
