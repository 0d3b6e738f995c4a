"""The program of measurement (b), laid out as the real one is: the driver imports its parts ahead."""


def run() -> None:
    """Render the one container; its SDK is imported when the engine asks for it, as in the real program."""
    from .environment import render

    render()
