"""What customers answered: CSAT, the Net Promoter Score, and how many answered at all."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from automation.reports.answers import Answer, answers_counted, surveys_answered
from automation.reports.asked import Asked
from automation.reports.figures import Average, Figure, Net, Report, Share, Table

ABOUT = "Answers given in the period; of several to one message the last one counts."
SATISFIED, PROMOTER, DETRACTOR = 4, 9, 6
NO_SURVEYS = "No playbook of the family survey is in use, so there is no telling how many were asked."


def report(asked: Asked) -> Report:
    """By month as well: a score of few answers moves a lot."""
    csat, nps = answers_counted(asked, "csat"), answers_counted(asked, "nps")
    figures = {
        "csat": Figure("CSAT", _csat(_all(csat)), "Answers from 1 to 5; of them the satisfied, who answered 4 or 5."),
        "csat_mean": Figure("CSAT, mean", _mean(_all(csat)), "The mean of the same answers, from 1 to 5."),
        "nps": Figure(
            "Net Promoter Score",
            _nps(_all(nps)),
            "From 0 to 10, 9 and 10 are promoters, 6 and below detractors: the share of the former less the latter.",
        ),
    }
    notes = []
    keys = [one.key for one in asked.book.playbooks.values() if one.model.family == "survey"]
    if keys:
        figures["response_rate"] = _responses(asked, keys)
    else:
        notes.append(NO_SURVEYS)
    tables = [_monthly("nps", nps, _nps, asked), _monthly("csat", csat, _csat, asked), _by_survey(csat, nps)]
    return Report("satisfaction", asked.period, ABOUT, figures, tables, notes)


def _responses(asked: Asked, keys: Iterable[str]) -> Figure:
    asked_for = "Messages of survey playbooks sent in the period; of them those that have been answered by now."
    return Figure("Response rate", Share(*surveys_answered(asked, tuple(keys))), asked_for)


def _monthly(
    name: str, answers: Counter[Answer], score: Callable[[Mapping[int, int]], Share | Net], asked: Asked
) -> Table:
    rows = [(month, score(_all(answers, month=month))) for month in asked.months.names]
    return Table(name, ("month", name), rows, f"{name.upper()} by month", bars=name)


def _by_survey(csat: Counter[Answer], nps: Counter[Answer]) -> Table:
    surveys = sorted({one.survey for one in (*csat, *nps)})
    rows = [(one or "(not said)", _nps(_all(nps, survey=one)), _csat(_all(csat, survey=one))) for one in surveys]
    return Table("surveys", ("survey", "nps", "csat"), rows, "By survey")


def _all(answers: Counter[Answer], month: str | None = None, survey: str | None = None) -> Counter[int]:
    """How often each score was given."""
    found: Counter[int] = Counter()
    for one, count in answers.items():
        if month in {None, one.month} and survey in {None, one.survey}:
            found[one.score] += count
    return found


def _csat(scores: Mapping[int, int]) -> Share:
    return Share(sum(count for score, count in scores.items() if score >= SATISFIED), sum(scores.values()))


def _mean(scores: Mapping[int, int]) -> Average:
    count = sum(scores.values())
    total = sum(score * times for score, times in scores.items())
    return Average(Decimal(total) / count if count else None, count)


def _nps(scores: Mapping[int, int]) -> Net:
    promoters = sum(count for score, count in scores.items() if score >= PROMOTER)
    detractors = sum(count for score, count in scores.items() if score <= DETRACTOR)
    return Net(promoters, detractors, sum(scores.values()))
