#!/usr/bin/env python
"""Run Django's management commands, and ours: `supervise`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")
    execute_from_command_line(sys.argv)
