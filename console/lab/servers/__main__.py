"""`python -m console.lab.servers fetch [SERVER…]`: fetches every server that a laboratory can run, or those named.

A server is a version of Redis, or `consul`. One that cannot be fetched is named; the tests that need it say so too.
"""

from __future__ import annotations

import sys

from console.lab.options import LabError
from console.lab.servers.fetching import FETCHED, fetch_missing
from console.lab.servers.progress import Progress
from console.lab.servers.versions import INSTALLED_VERSION, server_folder, title


def main() -> int:
    """The exit code: 1 where a server cannot be fetched."""
    if sys.argv[1:2] != ["fetch"]:
        sys.stderr.write("usage: python -m console.lab.servers fetch [SERVER…]\n")
        return 2
    failed = 0
    for server in sys.argv[2:] or FETCHED:
        try:
            fetch_missing([server], Progress(sys.stderr))
            place = "the installed one" if server == INSTALLED_VERSION else server_folder(server)
            sys.stdout.write(f"{title(server)}: {place}\n")
        except LabError as error:
            failed = 1
            sys.stderr.write(f"{error}\n")
    return failed


sys.exit(main())
