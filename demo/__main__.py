"""Runs the demo until Ctrl-C."""

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import requests
from rich.console import Console

from app import config
from demo import company_page, fleet_view, servers
from demo.consent_link import consent_link
from demo.screen import Links, Screen
from demo.script import script
from demo.tour import Tour


def main() -> None:
    """Starts both servers, sends the requests, draws the screen and waits."""
    # Writes each line at once, also to a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text stream
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    console = Console(highlight=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="derapi-demo-")))
        with console.status("Starting the sandbox and the service ..."):  # Not in a pipe.
            running = stack.enter_context(servers.running(folder))
            results = Tour(running).take()
            page = stack.enter_context(company_page.serving(running))
            links = Links(fleet_view.prepared_link(running), consent_link(running, page))
        commands = folder / "commands.sh"
        commands.write_text(script(results))
        Screen(console).draw(results, running, commands, links)
        running.wait_for_an_end()
        raise SystemExit("One of the servers has ended unexpectedly.")


def end(number: int, frame: object) -> None:
    """Handles Ctrl-C and SIGTERM. Only the first counts: a second one would leave servers running."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
    except config.SettingsError as error:
        raise SystemExit(str(error)) from None
    except requests.RequestException as error:
        raise SystemExit(f"The demo stopped, because a request failed: {error}") from None
