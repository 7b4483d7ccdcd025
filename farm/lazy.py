"""Make a part of an object when it is first asked for, once, whichever thread asks."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """Turn a method into an attribute that it makes; the object's `_lock` is held meanwhile.

    functools.cached_property makes one for each thread that is among the first, since Python
    3.12. The lock has to be recursive where parts use one another.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, one: None, owner: type) -> Self: ...
    @overload
    def __get__(self, one: object, owner: type) -> T: ...
    def __get__(self, one: Any, owner: type) -> Self | T:
        if one is None:
            return self
        # The attribute hides this descriptor: who finds it there never comes here.
        with one._lock:
            if self._name not in one.__dict__:
                one.__dict__[self._name] = self._make(one)
            made: T = one.__dict__[self._name]
            return made
