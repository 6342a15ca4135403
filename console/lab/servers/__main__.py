"""`python -m console.lab.servers fetch [VERSION…]`."""

from __future__ import annotations

import sys

from console.lab.servers.versions import main

sys.exit(main())
