"""The keys under which the dumps were sealed, and the passwords of their roles: for made-up data only."""

from deploy import secrets
from tests.servers import PASSWORDS

KEYS = {
    "ZHIKE_DATA_KEY": "a data key of the tests, also 32 characters and more",
    "ZHIKE_SECRET_KEY": "a secret key of the tests, 32 characters and more",
    **{secrets.password_variable(service): password for service, password in PASSWORDS.items()},
}
