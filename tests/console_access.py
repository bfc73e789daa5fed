"""Who may call which page of the console: a page that is not in here fails a test."""

EVERYBODY = frozenset({"viewer", "support", "marketer", "admin"})
SUPPORT, MARKETER, ADMIN = frozenset({"support", "admin"}), frozenset({"marketer", "admin"}), frozenset({"admin"})
NOBODY_YET = frozenset({"nobody"}) | EVERYBODY  # before anybody is signed in

ACCESS = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/health"): EVERYBODY,
    ("POST", "/health/pause"): SUPPORT,
    ("POST", "/health/resume"): SUPPORT,
    ("GET", "/sign-in"): NOBODY_YET,
    ("POST", "/sign-in"): NOBODY_YET,
    ("GET", "/welcome/{token}"): NOBODY_YET,
    ("POST", "/welcome/{token}"): NOBODY_YET,
    ("POST", "/sign-out"): EVERYBODY,
    ("GET", "/account"): EVERYBODY,
    ("POST", "/account"): EVERYBODY,
    ("POST", "/unmask"): EVERYBODY,
    ("GET", "/customers"): EVERYBODY,
    ("GET", "/customer"): EVERYBODY,
    ("POST", "/customer/unsubscribe"): SUPPORT,
    ("POST", "/customer/consent"): SUPPORT,
    ("POST", "/customer/suppress"): SUPPORT,
    ("POST", "/customer/lift"): SUPPORT,
    ("POST", "/customer/pause"): SUPPORT,
    ("POST", "/customer/resume"): SUPPORT,
    ("POST", "/customer/review"): SUPPORT,
    ("GET", "/audit"): SUPPORT,
    ("GET", "/users"): ADMIN,
    ("POST", "/users"): ADMIN,
    ("POST", "/users/link"): ADMIN,
    ("POST", "/users/role"): ADMIN,
    ("POST", "/users/close"): ADMIN,
    ("GET", "/playbooks"): EVERYBODY,
    ("GET", "/playbooks/{key}"): EVERYBODY,
    ("POST", "/playbooks/{key}/pause"): MARKETER,
    ("POST", "/playbooks/{key}/resume"): MARKETER,
    ("GET", "/playbooks/{key}/preview"): EVERYBODY,
    ("GET", "/playbooks/{key}/preview/frame"): EVERYBODY,
    ("GET", "/lifecycle"): EVERYBODY,
}
