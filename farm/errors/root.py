"""Say what every error of the farm has: facts, a text, a code, a way back from its name."""


class FarmError(Exception):
    """Root of everything the farm raises on purpose."""

    #: Text made from the arguments; `{0}` is the first.
    template = "{0}"

    def __init__(self, *facts: object) -> None:
        super().__init__(*facts)
        self.facts = facts

    def __str__(self) -> str:
        try:
            return self.template.format(*self.facts)
        except IndexError:  # facts from another version: show them all rather than none
            return " ".join(map(str, self.facts))

    @property
    def code(self) -> str:
        """The class name: what is stored, sent and shown as the kind of the error."""
        return type(self).__name__

    @classmethod
    def named(cls, code: str, facts: list[object]) -> "FarmError":
        """Return the error whose class is `code`; an unknown code comes back as FarmError."""
        found = _by_name(cls).get(code)
        return found(*facts) if found else FarmError(f"{code}: {' '.join(map(str, facts))}")


def _by_name(root: type[FarmError]) -> dict[str, type[FarmError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _by_name(child)
    return found


class Transient(FarmError):
    """Trying again may help; the scheduler re-sends exactly these."""
