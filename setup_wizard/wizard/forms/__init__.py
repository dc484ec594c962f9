"""One form for each step. A form declares title, lead and fieldsets; `templates/_form.html` renders any of them."""

from setup_wizard.wizard.forms.action import ActionForm
from setup_wizard.wizard.forms.cluster import CreateForm, JoinForm
from setup_wizard.wizard.forms.node import NodeForm
from setup_wizard.wizard.forms.recover import RecoverForm
from setup_wizard.wizard.forms.step import Difference, Fieldset, StepForm, read_version

__all__ = [
    "ActionForm",
    "CreateForm",
    "Difference",
    "Fieldset",
    "JoinForm",
    "NodeForm",
    "RecoverForm",
    "StepForm",
    "read_version",
]
