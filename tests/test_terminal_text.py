"""Text made for a terminal."""

from graphlab.terminal_text import finished_text, text_console


def test_blanks_and_empty_lines_are_few(monkeypatch):
    monkeypatch.setenv("COLUMNS", "7")
    console = text_console(40, color=False)
    console.print("\n\n[a] b   \n\n\n\nc")
    assert finished_text(console) == "[a] b\n\nc\n"


def test_colour_only_if_asked_for():
    for color in (False, True):
        console = text_console(40, color)
        console.print("x", style="red")
        assert ("\x1b[" in finished_text(console)) == color
