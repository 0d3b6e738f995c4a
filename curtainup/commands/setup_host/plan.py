"""What makes a machine a Docker host: the steps, each with a script that root runs there, and what to know.

A step that is done already stays in the list, so that one sees that it was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from curtainup.commands.setup_host.facts import Facts

PACKAGES = "docker.io apparmor ca-certificates"
"""AppArmor's tools, because Docker starts no container without them where the kernel has it on."""
UPGRADES = "/etc/apt/apt.conf.d/52curtainup"
_LEFT_ALONE = ("docker[.]io$", "docker-ce$", "containerd")
"""Packages whose upgrade stops what runs in containers, as patterns of unattended-upgrades."""
_INSTALL = """\
left=60
until said=$(apt-get --quiet update 2>&1); do
    case $said in *"Could not get lock"*) ;; *) echo "$said"; exit 100 ;; esac
    left=$((left - 1))
    if [ $left = 0 ]; then echo "$said"; exit 100; fi
    sleep 5
done
apt-get --quiet --yes --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \\
    install {packages}
"""
"""A new server installs updates when it starts, and apt's time-out is not for the lock of the lists."""

_GROUP = "getent group docker >/dev/null || groupadd --system docker\n"


@dataclass(frozen=True)
class Step:
    """A thing that a Docker host needs.

    Attributes:
        name: a word for it.
        title: what is done, in the imperative.
        is_there: whether it is done already.
        script: what does it, for root's shell; doing it twice changes nothing more.

    """

    name: str
    title: str
    is_there: bool
    script: str


@dataclass(frozen=True)
class Plan:
    """What is to be done on a machine.

    Attributes:
        steps: in their order.
        hints: what curtainup leaves to the user.

    """

    steps: tuple[Step, ...]
    hints: tuple[str, ...]

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that are not done yet."""
        return tuple(step for step in self.steps if not step.is_there)


def plan(found: Facts, *, upgrades: bool) -> Plan:
    """Return what is to be done on a machine; `upgrades` asks for security updates by themselves."""
    steps = [_docker(found), *_boot(found), *_user(found), *([_upgrades(found)] if upgrades else [])]
    return Plan(tuple(steps), tuple(_hints(found)))


def _docker(found: Facts) -> Step:
    script = _INSTALL.format(packages=PACKAGES)
    return Step("docker", "install Docker with apt-get: docker.io", found.has_engine, script)


def _boot(found: Facts) -> list[Step]:
    """Return the step that starts Docker, unless something else than its package's service does."""
    if found.is_enabled is None:
        return []
    title = "start Docker now, and whenever the host starts"
    is_there = found.is_enabled and found.is_active
    return [Step("start", title, is_there, "systemctl enable --now docker.service\n")]


def _user(found: Facts) -> list[Step]:
    if found.is_root:
        return []
    user, named = found.user, quote(found.user)
    make = f"useradd --create-home --shell /bin/bash --password '*' {named}\n"
    join = f"{_GROUP}usermod --append --groups docker {named}\n"
    steps = [
        Step("user", f"make the user {user}, without a password", found.has_user, make),
        Step(
            "group", f"let {user} use Docker, which makes {user} as good as root there", found.in_group, join
        ),
    ]
    if found.has_keys or found.login_has_keys:
        title = f"let {user} log in with {'a key' if found.has_keys else f'the keys of {found.login}'}"
        steps.append(Step("keys", title, found.has_keys, _keys(found)))
    return steps


def _keys(found: Facts) -> str:
    """Return a script that copies keys; it writes as the user, whose folder may lead anywhere."""
    write = "umask 077 && mkdir -p ~/.ssh && cat >>~/.ssh/authorized_keys"
    home = f'"$(getent passwd {quote(found.login)} | cut -d: -f6)"'
    return f"runuser -l {quote(found.user)} -s /bin/sh -c '{write}' <{home}/.ssh/authorized_keys\n"


def _upgrades(found: Facts) -> Step:
    lines = [
        'APT::Periodic::Update-Package-Lists "1";',
        'APT::Periodic::Unattended-Upgrade "1";',
        *(f'Unattended-Upgrade::Package-Blacklist:: "{one}";' for one in _LEFT_ALONE),
    ]
    script = _INSTALL.format(packages="unattended-upgrades") + f"cat >{UPGRADES} <<'END'\n"
    title = "install security updates by themselves (unattended-upgrades), but never Docker's"
    return Step("upgrades", title, found.upgrades, script + "\n".join(lines) + "\nEND\n")


def _hints(found: Facts) -> list[str]:
    hints = [_FIREWALL[found.firewall]]
    if found.is_root:
        hints.append(f"{found.user} deploys. To have another user do it: --user deploy")
    if found.is_enabled is None:
        hints.append("Docker has no docker.service there: see yourself that it starts whenever the host does")
    if not (found.is_root or found.has_keys or found.login_has_keys):
        hints.append(f"no file of keys lets {found.user} in: see that your key does")
    return hints


_BYPASSED = (
    "is active, and does not hold back what Docker publishes: `https`, and a `bind` that is not loopback"
)
_FIREWALL = {
    None: "no firewall was found. SSH has to be open, and for `https` 80 and 443 (TCP) and 443 (UDP). What "
    "an environment publishes is on the loopback interface unless `bind` says otherwise",
    "ufw": f"ufw {_BYPASSED}",
    "firewalld": f"firewalld {_BYPASSED}",
}
