"""Django's settings; those of a deployment are read from the environment, or from the file that `<NAME>_FILE` names.

Every wrong or missing variable is reported in one message. `.env.example` lists them all with what they mean.
"""

from ipaddress import ip_network
from pathlib import Path

from environs import EnvError, FileAwareEnv, validate

from setup_wizard.project.broker_url import celery_broker_url
from setup_wizard.project.databases import read_database_url

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = FileAwareEnv(eager=False, strip_whitespace=True)


@env.parser_for("words")
def _words(text: str) -> list[str]:
    """Read a comma-separated list, with or without spaces."""
    return [word.strip() for word in text.split(",") if word.strip()]


@env.parser_for("ports")
def _ports(text: str) -> frozenset[int]:
    """Read ports and ranges, such as "9443, 10000-10010"."""
    ports: set[int] = set()
    for word in _words(text):
        first, _, last = word.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and 0 < int(first) <= int(last or first) < 65536):
            raise EnvError(f"{word} is neither a port nor a range of ports such as 9443-9445.")
        ports.update(range(int(first), int(last or first) + 1))
    return frozenset(ports)


@env.parser_for("networks")
def _networks(text: str) -> list[str]:
    """Read networks and addresses, such as "10.0.0.0/8, 127.0.0.1"."""
    try:
        return [str(ip_network(word)) for word in _words(text)]
    except ValueError as error:
        raise EnvError(f"{error}.") from None


def _none_or_long(token: str) -> None:
    if token and len(token) < 32:
        raise EnvError("Shorter than 32 characters.")


def _empty_or_url(text: str) -> None:
    if text and not text.startswith(("https://", "http://")):
        raise EnvError("It does not begin with https:// or http://.")


SECRET_KEY = env.str("SECRET_KEY", validate=validate.Length(min=32))
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", default="")
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'setup-wizard.sqlite3'}")
SETUP_WIZARD_DATABASE_POOL = env.int("SETUP_WIZARD_DATABASE_POOL", default=10, validate=validate.Range(min=2))
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))

SETUP_WIZARD_LOG_FORMAT = env.str(
    "SETUP_WIZARD_LOG_FORMAT", default="json", validate=validate.OneOf(["json", "console"])
)
SETUP_WIZARD_CREDENTIAL_KEYS = env.words("SETUP_WIZARD_CREDENTIAL_KEYS")
SETUP_WIZARD_ALLOWED_NETWORKS = env.networks(
    "SETUP_WIZARD_ALLOWED_NETWORKS", default="10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"
)
SETUP_WIZARD_ALLOWED_PORTS = env.ports("SETUP_WIZARD_ALLOWED_PORTS", default="9443")
SETUP_WIZARD_ALLOW_LOOPBACK = env.bool("SETUP_WIZARD_ALLOW_LOOPBACK", default=False)
SETUP_WIZARD_DEADLINE_SECONDS = env.int("SETUP_WIZARD_DEADLINE_SECONDS", default=1800, validate=validate.Range(min=60))
SETUP_WIZARD_STARTS_PER_MINUTE = env.int("SETUP_WIZARD_STARTS_PER_MINUTE", default=60, validate=validate.Range(min=1))
SETUP_WIZARD_PROBES_PER_MINUTE = env.int("SETUP_WIZARD_PROBES_PER_MINUTE", default=60, validate=validate.Range(min=1))
SETUP_WIZARD_PLAN_PROBES_PER_MINUTE = env.int(
    "SETUP_WIZARD_PLAN_PROBES_PER_MINUTE", default=200, validate=validate.Range(min=1)
)
SETUP_WIZARD_POSTS_PER_MINUTE = env.int("SETUP_WIZARD_POSTS_PER_MINUTE", default=300, validate=validate.Range(min=1))
# whose attempts users without the review permission see
SETUP_WIZARD_ATTEMPTS = env.str("SETUP_WIZARD_ATTEMPTS", default="all", validate=validate.OneOf(["all", "own"]))
SETUP_WIZARD_TRUSTED_PROXIES = env.networks("SETUP_WIZARD_TRUSTED_PROXIES", default="")
SETUP_WIZARD_WEB_ADDRESS = env.str("SETUP_WIZARD_WEB_ADDRESS", default="127.0.0.1:8000")
SETUP_WIZARD_PAGES_URL = env.str("SETUP_WIZARD_PAGES_URL", default="", validate=_empty_or_url)
SETUP_WIZARD_WEBHOOK_NETWORKS = env.networks("SETUP_WIZARD_WEBHOOK_NETWORKS", default="")
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587, validate=validate.Range(min=1, max=65535))
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="setup-wizard@localhost")
SETUP_WIZARD_RESOLVER = env.str("SETUP_WIZARD_RESOLVER", default="")
SETUP_WIZARD_NODES = env.words("SETUP_WIZARD_NODES", default="")
SETUP_WIZARD_STREAMS_PER_ATTEMPT = env.int("SETUP_WIZARD_STREAMS_PER_ATTEMPT", default=2)
SETUP_WIZARD_STREAMS_PER_SESSION = env.int("SETUP_WIZARD_STREAMS_PER_SESSION", default=4)
SETUP_WIZARD_STREAMS_PER_USER = env.int("SETUP_WIZARD_STREAMS_PER_USER", default=8)
SETUP_WIZARD_STREAMS_PER_PROCESS = env.int("SETUP_WIZARD_STREAMS_PER_PROCESS", default=1500)
SETUP_WIZARD_METRICS_TOKEN = env.str("SETUP_WIZARD_METRICS_TOKEN", default="", validate=_none_or_long)
SETUP_WIZARD_METRICS_NETWORKS = env.networks("SETUP_WIZARD_METRICS_NETWORKS", default="")
SETUP_WIZARD_HTTPS = env.bool("SETUP_WIZARD_HTTPS", default=False)
SETUP_WIZARD_DEMO = env.bool("SETUP_WIZARD_DEMO", default=False)
SETUP_WIZARD_DEMO_DIRECTORY = env.str("SETUP_WIZARD_DEMO_DIRECTORY", default="")
SETUP_WIZARD_FAILPOINTS = env.words("SETUP_WIZARD_FAILPOINTS", default="")

env.seal()

INSTALLED_APPS = [
    "setup_wizard.project.apps.ProjectConfig",
    "setup_wizard.api",
    "setup_wizard.clusters",
    "setup_wizard.notifications",
    "setup_wizard.wizard",
    "setup_wizard.history",
    "setup_wizard.live",
    "setup_wizard.worker",
    "setup_wizard.monitoring",
    "setup_wizard.attempts",
    "setup_wizard.nodes",
    "setup_wizard.access",
    "setup_wizard.project.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "setup_wizard.project.static_files.OurStaticFiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
]
if SETUP_WIZARD_DEMO:
    INSTALLED_APPS.append("setup_wizard.project.demo")
MIDDLEWARE = [
    "setup_wizard.access.middleware.RequestContext",
    "setup_wizard.access.middleware.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "setup_wizard.access.middleware.RefuseMalformed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "setup_wizard.access.middleware.RefuseUnintended",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "setup_wizard.access.middleware.SessionLimits",
    "setup_wizard.access.middleware.SignInRequired",
    "setup_wizard.access.middleware.TimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "setup_wizard.access.middleware.RateLimitResponses",
    "setup_wizard.project.error_views.explain_disallowed_methods",
]
ROOT_URLCONF = "setup_wizard.project.urls"
ASGI_APPLICATION = "setup_wizard.project.asgi.application"
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "setup_wizard.access.theme.in_pages",
    "setup_wizard.monitoring.health.banner",
    "setup_wizard.live.action_needed.in_bar",
]
if SETUP_WIZARD_DEMO:
    CONTEXT_PROCESSORS.append("setup_wizard.project.demo.context_processors.demo")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

EMAIL_TIMEOUT = 10  # seconds; a worker waits that long

# -- Data ------------------------------------------------------------------------------------------------------------

DATABASES = {"default": read_database_url(DATABASE_URL, pool=SETUP_WIZARD_DATABASE_POOL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "setup_wizard.project.formats"

# -- The queue; docs/failure-modes.md says why these values ------------------------------------------------------------

CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
    "global_keyprefix": "setup_wizard:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_RESULT_EXTENDED = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# -- Signing in -------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["setup_wizard.access.backends.LimitedBackend"]
PASSWORD_HASHERS = ["setup_wizard.access.hashing.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "setup_wizard.access.password_validation.StrengthValidator"},
]
LOGIN_URL = "access:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "access:sign-in"

# -- Responses --------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 60 * 60  # at most; access/sessions.py ends idle sessions sooner
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SETUP_WIZARD_HTTPS
if SETUP_WIZARD_HTTPS:  # other hosts, and pages without TLS, cannot set cookies with this prefix
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # monitoring does not go through the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SETUP_WIZARD_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SETUP_WIZARD_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SETUP_WIZARD_HTTPS else None
CSRF_FAILURE_VIEW = "setup_wizard.project.error_views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # HSTS preload: the owner of the domain decides
    "models.W040",  # SQLite ignores the columns that an index only includes
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# a license, or a certificate, its key and its CA; body_limit bounds their size, which the two limits above do not
DATA_UPLOAD_MAX_NUMBER_FILES = 3
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]  # a secret is on no disk

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("help/pictures", BASE_DIR / "docs" / "pictures")]
STORAGES = {"staticfiles": {"BACKEND": "setup_wizard.project.static_files.BundledStaticFilesStorage"}}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# One handler for all; Django and uvicorn get none of their own.
_PROPAGATED = {"handlers": [], "propagate": True}
# Celery logs the start and the end of every task: twice a second for each attempt, and the attempt's row records it
_EVERY_TASK = {"level": "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "setup_wizard.project.logs.formatter", "kind": SETUP_WIZARD_LOG_FORMAT}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": _PROPAGATED,
        "django.server": _PROPAGATED,
        "uvicorn": _PROPAGATED,
        "uvicorn.error": _PROPAGATED,
        "uvicorn.access": _PROPAGATED,
        "celery.worker.strategy": _EVERY_TASK,
        "celery.app.trace": _EVERY_TASK,
    },
}
