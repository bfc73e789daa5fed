"""The rates that lifecycles are steered by, each with its counts and its definition."""

from collections import Counter
from collections.abc import Mapping

from automation.reports.asked import Asked
from automation.reports.figures import Figure, Ratio, Report, Share
from automation.reports.people import people_counted
from automation.reports.standing import notes_on
from automation.reports.touched import contacts_counted, period_counted

ABOUT = "Rates of the period, each of the customers or events that its sentence names."
NO_LEAVING = "Churn is left out: no stage of this lifecycle has the role leaving."
NO_CONVERSATIONS = (
    "New customers per conversation are left out: [reports] conversations in config.toml names no events."
)
Counts = Mapping[str, int]


def report(asked: Asked) -> Report:
    """Every rate there is data for; what is left out is said in the notes."""
    counts = Counter(people_counted(asked)) + Counter(period_counted(asked)) + Counter(contacts_counted(asked))
    figures = {**_acquisition(counts), **_keeping(counts), **_referral(counts)}
    notes = notes_on(asked)
    if asked.lifecycle.having("leaving"):
        figures["churn"] = _churn(counts)
    else:
        notes.append(NO_LEAVING)
    if asked.settings.reports.conversations:
        figures["new_per_conversation"] = _per_conversation(counts)
    else:
        notes.append(NO_CONVERSATIONS)
    return Report("rates", asked.period, ABOUT, figures, notes=notes)


def _acquisition(counts: Counts) -> dict[str, Figure]:
    return {
        "conversion": Figure(
            "Sales conversion",
            Share(counts["converted"], counts["leads"]),
            "Leads are customers who signed up in the period; converted are those of them who ordered by its end.",
        ),
        "visitors_acted": Figure(
            "Visitors who acted",
            Share(counts["acted"], counts["visitors"]),
            "Customers with a visit in the period; of them those who did something that visits are meant to lead to.",
        ),
        "visits": Figure("Visits", counts["visits"], "Visits of customers in the period, every page view counted."),
        "contacts_potential": Figure(
            "Contacts with potential customers",
            Share(counts["potential"], counts["contacts"]),
            "Messages sent in the period; of them those to customers who had not ordered by then.",
        ),
    }


def _per_conversation(counts: Counts) -> Figure:
    about = "New customers, who ordered for the first time in the period, for each conversation held in it."
    return Figure("New customers per conversation", Ratio(counts["new"], counts["conversations"]), about)


def _churn(counts: Counts) -> Figure:
    about = (
        "Customers who had ordered before the period and did not stand in a stage that means leaving when it began; of "
        "them those who stand in one at its end."
    )
    return Figure("Churn", Share(counts["gone"], counts["staying"]), about)


def _keeping(counts: Counts) -> dict[str, Figure]:
    ended = counts["renewals"] + counts["cancellations"]
    return {
        "renewal": Figure(
            "Renewal",
            Share(counts["renewals"], ended),
            "Subscriptions that were renewed or ended in the period; of them the renewed.",
        ),
        "repeat_purchase": Figure(
            "Repeat purchase",
            Share(counts["repeating"], counts["ordering"]),
            "Customers who ordered in the period; of them those who had ordered before, in it or earlier.",
        ),
    }


def _referral(counts: Counts) -> dict[str, Figure]:
    return {
        "referral": Figure(
            "Referral",
            Share(counts["referrers"], counts["buyers"]),
            "Customers who have ever ordered; of them those who have ever brought somebody.",
        ),
        "new_by_referral": Figure(
            "New customers by referral",
            Share(counts["brought"], counts["new"]),
            "Customers who ordered for the first time in the period; of them those whom somebody brought.",
        ),
    }
