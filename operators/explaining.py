"""What operators share: they say why they cannot be used now, or ask for a file or folder."""

from typing import Any

from .languages import say


class ExplainedOperator:
    """Greys its button out where `why_disabled` has a reason, and shows that as the tooltip."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Say why the operator cannot be used now and what to do about it; or ''."""
        return ""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Can it be used now?"""
        reason = cls.why_disabled(context)
        if reason:
            cls.poll_message_set(say(reason))
        return not reason


class FileOperator:
    """Asks for its ``filepath`` or ``directory`` in Blender's file browser first."""

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Open the file browser; `execute` follows when something was chosen."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}
