from typing import Any, Generic, TypeVar

_Item = TypeVar("_Item")

class NDArray(Generic[_Item]):
    def __array__(self) -> Any: ...
