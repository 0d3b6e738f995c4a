from __future__ import annotations

import pytest

from curtainup.config.tasks import Task
from tests.config.conftest import Service


def test_a_text_is_the_command_line_of_a_task_with_its_number(service: Service) -> None:
    config = service.load("""\
        name: hello
        tasks:
          - python manage.py migrate --note "two words"
          - {name: seed, command: ./seed, timeout: 1h30m}
          - {command: [./warm-up, "all of it"], timeout: 45}
        """)

    assert config.for_environment("live").tasks == (
        Task(name="task-1", command=("python", "manage.py", "migrate", "--note", "two words"), timeout=600),
        Task(name="seed", command=("./seed",), timeout=5400),
        Task(name="task-3", command=("./warm-up", "all of it"), timeout=45),
    )


def test_no_shell_reads_the_command_line(service: Service) -> None:
    config = service.load("name: hello\ntasks: ['echo $HOME && rm *']\n")
    assert config.tasks[0].command == ("echo", "$HOME", "&&", "rm", "*")


def test_a_section_has_tasks_of_its_own(service: Service) -> None:
    text = "name: hello\ntasks: [migrate]\nenvironments: {staging: {tasks: []}, review-1: {tasks: [a, b]}}\n"
    config = service.load(text)

    names = {one: len(config.for_environment(one).tasks) for one in ("staging", "live", "review-1")}
    assert names == {"staging": 0, "live": 1, "review-1": 2}


@pytest.mark.parametrize("count", [20, 21])
def test_there_are_twenty_at_most(service: Service, count: int) -> None:
    text = f"name: hello\ntasks: [{', '.join(['migrate'] * count)}]\n"
    if count == 20:
        assert len(service.load(text).tasks) == count
    else:
        assert "is not a list of at most 20 commands" in service.problem(text)
