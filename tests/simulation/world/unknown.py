"""What the model does not know is no answer of a server: the simulation must fail, and loudly."""


class UnknownToModelError(BaseException):
    """A command or a script that the model has no rule for. No `except Exception` of the engine hides it."""
