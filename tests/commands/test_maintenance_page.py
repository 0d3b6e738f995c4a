from __future__ import annotations

from pathlib import Path

import pytest

from curtainup import config as configuration
from curtainup.commands import maintenance_page
from curtainup.config import EnvironmentConfig
from curtainup.errors import ConfigError


def _config(folder: Path, text: str = "") -> EnvironmentConfig:
    (folder / "pym-config.yaml").write_text(f"name: shop\n{text}")
    return configuration.load(folder, warn=print).for_environment("live")


def test_ours_shows_a_message_as_text(tmp_path: Path) -> None:
    page = maintenance_page.of("shop", _config(tmp_path), tmp_path, 'Back <b>at</b> 5 & "6"')
    assert "<p>Back &lt;b&gt;at&lt;/b&gt; 5 &amp; &quot;6&quot;</p>" in page
    assert "<title>shop</title>" in page
    assert len(page.encode()) < 4096, "it fits a proxy with the smallest header_limit"


def test_without_a_message_the_service_s_own_page_comes_first(tmp_path: Path) -> None:
    assert maintenance_page.MESSAGE in maintenance_page.of("shop", _config(tmp_path), tmp_path, None)
    config = _config(tmp_path, "maintenance_page: ops/page.html\n")
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/page.html").write_text("\ufeff<p>Ours ü</p>", encoding="utf-8")
    assert maintenance_page.of("shop", config, tmp_path, None) == "<p>Ours ü</p>"
    assert "Ours" not in maintenance_page.of("shop", config, tmp_path, "Back soon")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff", "cannot be read"),
        (b" \n", "is empty"),
        (b"<p>x<SCRIPT >1</script>", "has the element script"),
        (b"<pre>\n</pre>", "has the element pre"),
    ],
)
def test_a_page_that_cannot_be_shown_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    config = _config(tmp_path, "maintenance_page: page.html\n")
    if content is not None:
        (tmp_path / "page.html").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        maintenance_page.of("shop", config, tmp_path, None)
    assert said in caught.value.what


def test_an_element_whose_name_only_begins_so_is_none(tmp_path: Path) -> None:
    config = _config(tmp_path, "maintenance_page: page.html\n")
    (tmp_path / "page.html").write_text("<prefix>x</prefix>")
    assert maintenance_page.of("shop", config, tmp_path, None) == "<prefix>x</prefix>"
