"""Whose Python runs the tests of one run: chosen at once, and made ready before anything is built."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from curtainup import gates
from curtainup.gates import ImageInterpreter, Interpreter
from curtainup.gates.arguments import ACCEPTANCE_TESTS
from curtainup.gates.models import ProvidedInterpreter
from curtainup.session import Session


class Pythons:
    """The Pythons of the unit tests and of the gates.

    Attributes:
        unit_tests: the folders of the unit tests; none if the service has none.

    """

    def __init__(self, session: Session, named: str | None) -> None:
        """Choose them.

        Args:
            session: the command's collaborators.
            named: the Python that the user names; None leaves it to the configuration and to what is there.

        Raises:
            ConfigError: a configured folder of unit tests does not exist.
            SetupError: a Python that is named does not exist.

        """
        self._session = session
        service_dir, config = session.state.workspace.service_dir, session.service.config
        self.unit_tests = gates.unit_test_folders(service_dir, config.unit_tests)
        python = named or config.python
        self._unit = gates.find_interpreter(service_dir, python, self.unit_tests)
        self._gate = gates.find_interpreter(service_dir, python, (ACCEPTANCE_TESTS,))

    @property
    def unit_tests_need_image(self) -> bool:
        """Whether the unit tests run with the Python of the image, which has to be built first then."""
        return bool(self.unit_tests) and isinstance(self._unit, ImageInterpreter)

    @property
    def gates_need_image(self) -> bool:
        """Whether the acceptance tests run with the Python of the image."""
        return isinstance(self._gate, ImageInterpreter)

    @property
    def bare_unit_tests(self) -> str:
        """What to do if the unit tests failed because their Python lacks something; empty if it cannot."""
        if not isinstance(self._unit, ProvidedInterpreter):
            return ""
        return (
            "; they ran with curtainup's own Python, which has pytest and requests only: make the service's "
            ".venv if they need more"
        )

    @property
    def no_unit_tests(self) -> str:
        """The warning for a service of which no unit test ran."""
        found = (
            f"no test in {', '.join(self.unit_tests)}" if self.unit_tests else "no test/ and no tests/ folder"
        )
        return (
            f"the service has no unit tests: there is {found}; name their folders with `unit_tests:` in "
            "pym-config.yaml, or write `unit_tests: []` there if it has none"
        )

    def require_ready(self) -> None:
        """Get all that the tests need.

        Raises:
            SetupError: a Python does not start, or lacks pytest or requests and cannot get them.

        """
        self.of_unit_tests(None)
        self.of_gates(None)

    def of_unit_tests(self, image: str | None) -> Interpreter:
        """Return the Python of the unit tests; `image` is the service's, once it is known."""
        return _in(self._ready_unit, image) if self.unit_tests else ImageInterpreter()

    def of_gates(self, image: str | None) -> Interpreter:
        """Return the Python of the acceptance tests; `image` is the service's, once it is known."""
        return _in(self._ready_gate, image)

    @cached_property
    def _ready_unit(self) -> Interpreter:
        return gates.ready(self._unit, self._session.run.report.info)

    @cached_property
    def _ready_gate(self) -> Interpreter:
        if self.unit_tests and self._gate == self._unit:
            return self._ready_unit
        return gates.ready(self._gate, self._session.run.report.info)


def _in(interpreter: Interpreter, image: str | None) -> Interpreter:
    return replace(interpreter, image=image) if isinstance(interpreter, ImageInterpreter) else interpreter
