# One image for all services and for the reference nodes; docker-compose.yml has the commands.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
# Wheels only, so that the hashes cover what is installed, and nothing is compiled.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip wheel -qq --require-hashes --only-binary :all: --wheel-dir /wheels -r requirements/runtime.txt \
    && /opt/venv/bin/python -m pip install -qq --no-index --no-deps /wheels/*.whl \
    && /opt/venv/bin/python -m pip uninstall -qq --yes pip setuptools
COPY manage.py ./
COPY setup_wizard setup_wizard
COPY templates templates
COPY static static
COPY docs docs
# collectstatic needs these settings, but not their values.
RUN SECRET_KEY=only-to-collect-the-static-files-0123456789 ALLOWED_HOSTS=none SETUP_WIZARD_CREDENTIAL_KEYS=none \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q setup_wizard

FROM python:3.11-slim-bookworm
# No home directory and no shell. A new volume takes its owner from the directory.
RUN groupadd --gid 10001 wizard \
    && useradd --uid 10001 --gid wizard --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin wizard \
    && install -d -o wizard -g wizard -m 700 /var/lib/reference-node
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=setup_wizard.project.settings
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "setup_wizard.project.web", "--host", "0.0.0.0", "--port", "8000"]
