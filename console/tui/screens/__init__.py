"""The screens and dialogs, one module each. Nothing else imports them: they are opened by their routes."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages


def register_screens() -> None:
    """Imports every module of this package; each registers its screen."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
