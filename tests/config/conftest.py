"""A service's folder whose configuration is written by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from curtainup.config import ServiceConfig, load
from curtainup.errors import ConfigError


@dataclass
class Service:
    folder: Path
    warnings: list[str] = field(default_factory=list)

    def load(self, text: str) -> ServiceConfig:
        self.file.write_text(dedent(text), encoding="utf-8")
        return load(self.folder, warn=self.warnings.append)

    def refused(self, text: str) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.load(text)
        return caught.value

    def problems(self, text: str) -> list[str]:
        return (self.refused(text).detail or "").splitlines()

    def problem(self, text: str) -> str:
        (only,) = self.problems(text)
        return only

    @property
    def file(self) -> Path:
        return self.folder / "pym-config.yaml"


def messages(part: str) -> list[tuple[str, str]]:
    """The pairs of what is written and what is told in one part of messages.yaml."""
    whole = yaml.safe_load(Path(__file__).with_name("messages.yaml").read_text(encoding="utf-8"))
    return [(pair["written"], pair["told"]) for pair in whole[part]]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)
