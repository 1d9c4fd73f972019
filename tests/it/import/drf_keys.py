# Makes keys as djangorestframework-api-key does in its present version, and did in older ones. What
# follows is the program of the documentation, and then the secrets that the keys' holders have.
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["rest_framework_api_key"],
)
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.utils import timezone
from rest_framework_api_key.models import APIKey

call_command("migrate", verbosity=0)


def made(name, **columns):
    key, secret = APIKey.objects.create_key(name=name)
    APIKey.objects.filter(prefix=key.prefix).update(**columns or {"name": name})
    return secret


secrets = [made(f"present {n}") for n in range(3)]
old, secret = APIKey.objects.create_key(name="old")
# With fewer iterations than Django's, which take a second.
hashed = PBKDF2PasswordHasher().encode(secret, "salt", 1000)
APIKey.objects.filter(prefix=old.prefix).update(hashed_key=hashed)
secrets += [secret, made("revoked", revoked=True)]
made("expired", expiry_date=timezone.now())
