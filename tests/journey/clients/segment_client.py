"""Run by the interpreter of .clients/segment: the unchanged segment-analytics-python talks to our collector."""

import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

host, key, person = sys.argv[1:4]
troubles = []
client = Client(key, host=host, gzip="--gzip" in sys.argv, on_error=lambda error, _items: troubles.append(repr(error)))
client.identify(person, {"email": f"{person}@customers.example", "name": "Mei", "city": "Hangzhou"})
client.page(user_id=person, name="Home", properties={"path": "/"})
client.screen(user_id=person, name="Cart")
client.group(person, "tea-lovers", {"name": "Tea lovers"})
client.track(person, "Product Viewed", {"product_id": "TEA-1"}, timestamp=datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
for number in range(250):
    client.track(person, "Counted", {"number": number})
client.alias(f"{person}-anonymous", person)
client.shutdown()
sys.exit("\n".join(troubles) or 0)
