"""What the marketers of the simulated shop begin with: playbooks of every kind, and templates for them."""

LIFECYCLE = """
name = "Simulated"
[[stages]]
key = "new"
name = { en = "New" }
roles = ["aware"]
[[stages]]
key = "buyer"
name = { en = "Buyer" }
roles = ["buying"]
when = "orders >= 1"
[[stages]]
key = "regular"
name = { en = "Regular" }
roles = ["loyal"]
when = "orders_60d >= 2"
[[stages]]
key = "gone"
name = { en = "Gone" }
roles = ["leaving"]
when = "orders >= 1 and days_since(last_order) > 30"
"""
FACTS = """
[orders]
event = "Order"
count = true
[last_order]
event = "Order"
last = "time"
[orders_60d]
event = "Order"
count = true
within = "60 days"
[nps]
event = "Survey"
latest = "nps"
"""
LAYOUT = """<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text>
<mj-text>{{ business.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
EVERYBODY = 'stages = ["new", "buyer", "regular", "gone"]'
PLAYBOOKS = {
    "welcome": """family = "onboarding"
stages = ["new"]
kind = "transactional"
[[steps]]
key = "hello"
channel = "email"
template = "shop/letter"
[[steps]]
key = "text"
channel = "sms"
template = "shop/text"
after = "2 days"
at = "10:00"
""",
    "nudge": """family = "purchase_nudge"
stages = ["new"]
priority = 70
exit_when = "orders >= 1"
holdout = 0.1
[goal]
event = "Order"
within = "14 days"
[[steps]]
key = "first"
channel = "email"
template = "shop/letter"
after = "1 day"
at = "10:00"
[[steps.variants]]
key = "short"
template = "shop/note"
weight = 0.5
[[steps]]
key = "second"
channel = "sms"
template = "shop/text"
after = "3 days"
late_by = "36 hours"
on_unknown = "hold"
""",
    "thanks": """family = "loyalty_reward"
stages = ["regular"]
when = "days_since(last_order) <= 3"
stay_while_in_stage = true
reenter_after = "20 days"
priority = 90
[offer]
generate = "TH-########"
valid_for = "6 days"
[[steps]]
key = "thanks"
channel = "email"
template = "shop/offer"
[[steps]]
key = "reminder"
channel = "email"
template = "shop/offer"
after = "4 days"
on_unknown = "resend"
[[steps]]
key = "last_call"
channel = "sms"
template = "shop/code"
after = "1 day"
late_by = "12 hours"
""",
    "win_back": """family = "win_back"
stages = ["leaving"]
reenter_after = "40 days"
priority = 80
[goal]
event = "Order"
within = "10 days"
[offer]
pool = "win_back"
valid_for = "10 days"
[[steps]]
key = "miss_you"
channel = "email"
template = "shop/offer"
at = "18:00"
[[steps]]
key = "reminder"
channel = "email"
template = "shop/offer"
after = "3 days"
late_by = "36 hours"
""",
    "survey": """family = "survey"
stages = ["buyer", "regular"]
reenter_after = "9 days"
topic = "surveys"
[[steps]]
key = "ask"
channel = "sms"
template = "shop/text"
when = "can_sms"
on_unknown = "resend"
[[steps]]
key = "ask_again"
channel = "email"
template = "shop/named"
after = "1 day"
when = "nps is not set or nps < 9"
""",
    "digest": f"""family = "care"
{EVERYBODY}
reenter_after = "5 days"
priority = 10
topic = "news"
[[steps]]
key = "digest"
channel = "email"
template = "shop/note"
""",
    "receipt": """family = "usage"
stages = ["buyer", "regular"]
kind = "transactional"
when = "days_since(last_order) <= 1"
reenter_after = "2 days"
[[steps]]
key = "receipt"
channel = "sms"
template = "shop/text"
late_by = "8 hours"
""",
}
# What a step says for itself; the others follow their provider. The oracle knows them by heart.
ON_UNKNOWN = {
    ("nudge", "second"): "hold",
    ("thanks", "reminder"): "resend",
    ("survey", "ask"): "resend",
}
TEMPLATES = {
    "letter.en.md": "Hello {{ customer.first_name | default('there') }}, welcome{version}.",
    "note.en.md": "News of the week{version}, {{ facts.orders }} orders so far.",
    "named.en.md": "Dear {{ customer.first_name }}, how was it{version}?",
    "offer.en.md": "For you{version}: CODE {{ offer.code }} END",
    "text.en.txt": "Hello from the shop{version} {{ unsubscribe_url }}",
    "code.en.txt": "CODE {{ offer.code }} END{version} {{ unsubscribe_url }}",
}
EXTRA_STEP = '[[steps]]\nkey = "more"\nchannel = "sms"\ntemplate = "shop/text"\nafter = "1 day"\n'
