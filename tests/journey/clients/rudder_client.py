"""Run by the interpreter of .clients/rudder: the unchanged rudder-sdk-python talks to our collector."""

import sys
from datetime import UTC, datetime

import rudderstack.analytics as rudder

host, key, person = sys.argv[1:4]
troubles = []
rudder.write_key = key
rudder.dataPlaneUrl = host
rudder.gzip = "--gzip" in sys.argv
rudder.on_error = lambda error, _items: troubles.append(repr(error))
rudder.identify(person, {"email": f"{person}@customers.example", "name": "Mei", "city": "Hangzhou"})
rudder.page(user_id=person, name="Home", properties={"path": "/"})
rudder.screen(user_id=person, name="Cart")
rudder.group(person, "tea-lovers", {"name": "Tea lovers"})
rudder.track(person, "Product Viewed", {"product_id": "TEA-1"}, timestamp=datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
for number in range(250):
    rudder.track(person, "Counted", {"number": number})
rudder.alias(f"{person}-anonymous", person)
rudder.shutdown()
sys.exit("\n".join(troubles) or 0)
