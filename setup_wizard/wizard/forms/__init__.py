"""One form per step. A form declares title, lead and fieldsets; `templates/_form.html` renders them all."""

from setup_wizard.wizard.forms.action import ActionForm
from setup_wizard.wizard.forms.create import CreateForm
from setup_wizard.wizard.forms.join import JoinForm
from setup_wizard.wizard.forms.node import NodeForm
from setup_wizard.wizard.forms.recover import RecoverForm
from setup_wizard.wizard.forms.step import StepForm, parse_version

__all__ = ["ActionForm", "CreateForm", "JoinForm", "NodeForm", "RecoverForm", "StepForm", "parse_version"]
