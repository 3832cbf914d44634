"""Planted defects: for each, the check that must notice it, and what domain (`D`) or verifier (`V`) do wrong."""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """The body of `D` and of `V`, each over the honest one; `says` is part of what the check must report."""

    check: str
    says: str
    domain: str = "pass"
    verifier: str = "pass"


DEFECTS = {
    "prompt built from gold": Defect(
        "gold_stays_out",
        "gold",
        domain="""
def solve_prompt(self, task):
    prompt = super().solve_prompt(task)
    return dataclasses.replace(prompt, instruction=prompt.instruction + str(task.gold))
""",
    ),
    "answer among what is given": Defect(
        "gold_stays_out",
        "shows a right answer in 6 of 6",
        domain="""
def solve_prompt(self, task):
    prompt = super().solve_prompt(task)
    return dataclasses.replace(prompt, givens=(Section("number", task.given["number"] + task.given["hint"]),))
""",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    if isinstance(task, Rejection):
        return task
    given = {**task.given, "hint": task.gold}
    return dataclasses.replace(task, given=given, id=task_id(task.domain, task.kind, given))
""",
    ),
    "verdicts by chance": Defect(
        "repetition",
        "differ when asked again",
        verifier="""
def judge_one(self, task, answer):
    return random.choice([Verdict("pass", 1.0), Verdict("fail", 0.0)])
""",
    ),
    "gold by the number of calls": Defect(
        "repetition",
        "another gold",
        verifier="""
n = 0
def admit_one(self, draft):
    task = super().admit_one(draft)
    self.n += 1
    return task if isinstance(task, Rejection) else dataclasses.replace(task, signature=str(self.n))
""",
    ),
    "empty answers pass": Defect(
        "exploits",
        "'empty' passes in 6 of 6",
        domain="""
def parse_answer(self, task, sections):
    return Answer({"answer": sections["answer"].strip()}, sections["answer"])
""",
        verifier="""
def judge_one(self, task, answer):
    return super().judge_one(task, answer) if answer.fields.get("answer") else Verdict("pass", 1.0)
""",
    ),
    "the question passes as its answer": Defect(
        "exploits",
        "echo",
        verifier="""
def judge_one(self, task, answer):
    same = answer.fields.get("answer") == task.given["number"]
    return Verdict("pass", 1.0) if same else super().judge_one(task, answer)
""",
    ),
    "an order to the judge passes": Defect(
        "exploits",
        "passes in 6 of 6",
        verifier="""
def judge_one(self, task, answer):
    fooled = "correct" in str(answer.fields.get("answer"))
    return Verdict("pass", 1.0) if fooled else super().judge_one(task, answer)
""",
    ),
    "the right answer anywhere passes": Defect(
        "exploits",
        "all answers at once",
        verifier="""
def judge_one(self, task, answer):
    found = task.gold in str(answer.fields.get("answer"))
    return Verdict("pass", 1.0) if found else Verdict("fail", 0.0)
""",
    ),
    "the answer is ignored": Defect(
        "full_fail",
        "answer of another task passes",
        verifier="""
def judge_one(self, task, answer):
    return Verdict("pass", 1.0)
""",
    ),
    "near is good enough": Defect(
        "full_fail",
        "neighbour",
        verifier="""
def judge_one(self, task, answer):
    text = answer.fields.get("answer")
    near = isinstance(text, str) and text.isascii() and text.isdigit() and abs(int(text[:20]) - int(task.gold)) < 11
    return Verdict("pass", 1.0) if near else Verdict("fail", 0.0)
""",
    ),
    "nothing passes": Defect(
        "full_pass",
        "no right answer is known",
        verifier="""
def judge_one(self, task, answer):
    return Verdict("fail", 0.0)
""",
    ),
    "a result too few": Defect(
        "full_pass",
        "returns 11 results for 12",
        verifier="""
async def judge(self, pairs):
    return (await super().judge(pairs))[:-1]
""",
    ),
    "a score above one": Defect(
        "full_pass",
        "not a number in [0, 1]",
        verifier="""
def judge_one(self, task, answer):
    return Verdict("pass", 1.5)
""",
    ),
    "results of its own making": Defect(
        "full_pass",
        "where a Verdict is due",
        verifier="""
def judge_one(self, task, answer):
    return True
""",
    ),
    "a failure that scores": Defect(
        "scores",
        "the score 0.5",
        verifier="""
def judge_one(self, task, answer):
    verdict = super().judge_one(task, answer)
    return verdict if verdict.status == "pass" else Verdict("fail", 0.5)
""",
    ),
    "only the first of a batch is judged": Defect(
        "batch_of_one",
        "verdicts differ alone",
        verifier="""
async def judge(self, pairs):
    return [self.judge_one(*pair) if i else Verdict("fail", 0.0) for i, pair in enumerate(pairs)]
""",
    ),
    "calls that run together disturb each other": Defect(
        "batch_of_one",
        "while others are judged",
        verifier="""
async def judge(self, pairs):
    self.current = pairs
    await asyncio.sleep(0)
    return [self.judge_one(*pair) for pair in self.current]
""",
    ),
    "each verdict leans on the one before": Defect(
        "order",
        "in another order",
        domain="""
def known_answers(self, task):
    number = int(task.given["number"])
    return [(str(3 * number + 1), True), (str(3 * number), False)]
""",
        verifier="""
async def judge(self, pairs):
    found, failed = [], 0
    for pair in pairs:
        verdict = self.judge_one(*pair)
        failed += verdict.status == "fail"
        found.append(verdict if failed < 3 else Verdict("fail", 0.0, "tired"))
    return found
""",
    ),
    "tasks come sorted": Defect(
        "order",
        "reverse order",
        verifier="""
async def admit(self, drafts):
    return sorted(await super().admit(drafts), key=lambda task: getattr(task, "id", ""))
""",
    ),
    "arguments are changed": Defect(
        "arguments_untouched",
        "changes the drafts, tasks or answers",
        verifier="""
def judge_one(self, task, answer):
    task.given["tries"] = task.given.get("tries", 0) + 1
    return super().judge_one(task, answer)
""",
    ),
    "the event loop is blocked": Defect(
        "event_loop",
        "stood still",
        verifier="""
async def judge(self, pairs):
    time.sleep(1.5)
    return await super().judge(pairs)
""",
    ),
    "an odd answer raises": Defect(
        "hostile_answers",
        "judge raises ValueError",
        verifier="""
def judge_one(self, task, answer):
    return Verdict("pass", 1.0) if int(answer.fields["answer"]) == int(task.gold) else Verdict("fail", 0.0)
""",
    ),
    "an odd answer is a fault": Defect(
        "hostile_answers",
        "masked instead of scored",
        verifier="""
def judge_one(self, task, answer):
    text = str(answer.fields.get("answer"))
    return super().judge_one(task, answer) if text.isdigit() else Verdict("fault", 0.0, "no number")
""",
    ),
    "a long answer hangs it": Defect(
        "hostile_answers",
        "hangs",
        verifier="""
async def judge(self, pairs):
    if any(len(str(answer.fields.get("answer"))) > 9999 for _, answer in pairs):
        await asyncio.Event().wait()
    return await super().judge(pairs)
""",
    ),
    "the parser raises": Defect(
        "hostile_answers",
        "parse_answer raises",
        domain="""
def parse_answer(self, task, sections):
    return Answer({"answer": str(int(sections["answer"]))}, sections["answer"])
""",
    ),
    "an odd draft raises": Defect(
        "hostile_drafts",
        "admit raises",
        verifier="""
def admit_one(self, draft):
    int(draft.fields["number"])
    return super().admit_one(draft)
""",
    ),
    "whatever claims to be equal passes": Defect(
        "odd_answers",
        "made of Lying",
        verifier="""
def judge_one(self, task, answer):
    return Verdict("pass", 1.0) if answer.fields.get("answer") == task.gold else Verdict("fail", 0.0)
""",
    ),
    "hashes decide": Defect(
        "restart",
        "a fresh process",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    salted = str(hash("salt"))
    return task if isinstance(task, Rejection) else dataclasses.replace(task, signature=salted)
""",
    ),
    "a process is left behind": Defect(
        "close",
        "1 processes are left",
        verifier="""
left = None
async def judge(self, pairs):
    if self.left is None:
        self.left = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    return await super().judge(pairs)
""",
    ),
    "gold that is no JSON": Defect(
        "json_round_trip",
        "not JSON",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    return task if isinstance(task, Rejection) else dataclasses.replace(task, draft={**task.draft, "set": {1}})
""",
    ),
    "what is given shown in the order it has": Defect(
        "json_round_trip",
        "the prompt to solve changes",
        domain="""
def solve_prompt(self, task):
    givens = tuple(Section(name, text) for name, text in task.given.items())
    return dataclasses.replace(super().solve_prompt(task), givens=givens)
""",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    if isinstance(task, Rejection):
        return task
    given = {**task.given, "again": task.given["number"]}
    return dataclasses.replace(task, given=given, id=task_id(task.domain, task.kind, given))
""",
    ),
    "a draft shown in the order it has": Defect(
        "json_round_trip",
        "the prompt to propose changes",
        domain="""
def propose_prompt(self, kind, references):
    shown = tuple(tuple(Section(*pair) for pair in task.draft.items()) for task in references)
    return dataclasses.replace(super().propose_prompt(kind, []), references=shown)
""",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    draft = {"number": "1", "again": "1"}
    return task if isinstance(task, Rejection) else dataclasses.replace(task, draft=draft)
""",
    ),
    "ids of its own": Defect(
        "admission",
        "another domain or id",
        verifier="""
def admit_one(self, draft):
    task = super().admit_one(draft)
    return task if isinstance(task, Rejection) else dataclasses.replace(task, id=task.gold)
""",
    ),
    "seeds of their own chance": Defect(
        "seeds",
        "differ",
        domain="""
def seeds(self, rng):
    return super().seeds(random.Random())
""",
    ),
    "kinds that nobody has": Defect(
        "draft_fields",
        "a kind that the domain does not have",
        domain="""
def draft(self, kind, fields):
    return Draft(self.name, kind, dict(fields))
""",
    ),
    "references left out": Defect(
        "prompts",
        "shows 0 of 2 references",
        domain="""
def propose_prompt(self, kind, references):
    return super().propose_prompt(kind, [])
""",
    ),
    "an answer nobody asks for": Defect(
        "prompts",
        "`answer`",
        domain="""
def solve_prompt(self, task):
    return dataclasses.replace(super().solve_prompt(task), returns=(Section("result", "digits"),))
""",
    ),
    "a method is missing": Defect("protocols", "lacks parse_answer", domain="parse_answer = property()"),
}
