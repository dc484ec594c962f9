"""What is recorded about plans and runs in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class PlanAudit(TextChoices):
    """An action with a plan or its run."""

    START = "plan-start", "Started the setup of a cluster"
    PAUSE = "plan-pause", "Paused the setup of a cluster"
    RESUME = "plan-resume", "Resumed the setup of a cluster"
    SKIP = "plan-skip", "Skipped a node"
    RETRY = "plan-retry", "Retried a node"
    CREDENTIALS = "plan-credentials", "Entered the credentials of a cluster's setup again"
    RACK_AWARENESS = "plan-rack-awareness", "Consented to turn on the rack awareness of a cluster"
    STOP = "plan-stop", "Stopped the setup of a cluster"
