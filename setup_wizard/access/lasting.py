"""Rows that are added and read, nothing else."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or delete what has happened."""


class AppendOnly(models.QuerySet[Any]):
    """Rows that are added and read, nothing else."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("what has happened is not changed")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("what has happened is not deleted")


class AppendOnlyModel(models.Model):
    """A row that is written once."""

    objects = AppendOnly.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; an existing one is never written again.

        Raises:
            AppendOnlyError: when the row is there already.
        """
        if not self._state.adding:
            raise AppendOnlyError("what has happened is not changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("what has happened is not deleted")
