/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Core
import Init.Meta
import Init.Notation
/-! Mini core library, part 4: tactic syntax. The evaluators are compiled into the `lean` library,
registered under these syntax kinds; only the grammar has to be declared. -/
set_option linter.all false
namespace Lean
syntax binderIdent := orelse(ident, hole)
namespace Parser.Tactic
syntax (name := intro) "intro" notFollowedBy("|") many(ppSpace colGt term:1024) : tactic
syntax (name := intros) "intros" many(ppSpace colGt orelse(ident, hole)) : tactic
syntax (name := exact) "exact " term : tactic
syntax (name := refine) "refine " term : tactic
syntax (name := apply) "apply " term : tactic
syntax (name := constructor) "constructor" : tactic
syntax (name := left) "left" : tactic
syntax (name := right) "right" : tactic
syntax (name := assumption) "assumption" : tactic
syntax (name := contradiction) "contradiction" : tactic
syntax (name := skip) "skip" : tactic
syntax (name := done) "done" : tactic
syntax (name := fail) "fail" optional(ppSpace str) : tactic
syntax (name := eqRefl) "eq_refl" : tactic
syntax (name := «show») "show " term : tactic
syntax (name := «revert») "revert" many1(ppSpace colGt term:1024) : tactic
syntax (name := clear) "clear" many1(ppSpace colGt term:1024) : tactic
syntax (name := subst) "subst" many1(ppSpace colGt term:1024) : tactic
syntax (name := injection) "injection " term optional(" with" many1(ppSpace colGt orelse(ident, hole))) : tactic
syntax (name := first) "first " withPosition(many1(ppDedent(ppLine) colGe "| " tacticSeq)) : tactic
syntax (name := allGoals) "all_goals " tacticSeq : tactic
syntax (name := anyGoals) "any_goals " tacticSeq : tactic
syntax (name := focus) "focus " tacticSeq : tactic
syntax (name := paren) "(" withoutPosition(tacticSeq) ")" : tactic
syntax (name := withReducible) "with_reducible " tacticSeq : tactic
syntax (name := traceState) "trace_state" : tactic
-- cases, induction
syntax inductionAltLHS := "| " orelse(group(optional("@") ident), hole) many(colGt orelse(ident, hole))
syntax inductionAlt := ppDedent(ppLine) many1(inductionAltLHS) optional(" => " orelse(hole, orelse(syntheticHole, tacticSeq)))
syntax inductionAlts := " with" optional(ppSpace colGt tactic) withPosition(many(colGe inductionAlt))
syntax elimTarget := optional(atomic(binderIdent " : ")) term
syntax (name := cases) "cases " sepBy1(elimTarget, ", ") optional(" using " term) optional(inductionAlts) : tactic
syntax (name := induction) "induction " sepBy1(elimTarget, ", ") optional(" using " term) optional(" generalizing" many1(ppSpace colGt term:1024)) optional(inductionAlts) : tactic
syntax (name := case) "case " sepBy1(group(binderIdent many(binderIdent)), " | ") " => " tacticSeq : tactic
syntax (name := renameI) "rename_i" many1(ppSpace colGt binderIdent) : tactic
syntax (name := rotateLeft) "rotate_left" optional(ppSpace num) : tactic
syntax (name := specialize) "specialize " term : tactic
-- configuration, locations, rewriting, simp, decide
syntax posConfigItem := " +" noWs ident
syntax negConfigItem := " -" noWs ident
syntax valConfigItem := atomic(" (" notFollowedBy("discharger") ident " := ") withoutPosition(term) ")"
syntax configItem := orelse(posConfigItem, orelse(negConfigItem, valConfigItem))
syntax optConfig := many(colGt configItem)
syntax locationWildcard := " *"
syntax locationType := patternIgnore(ppSpace "⊢")
syntax locationHyp := many1(ppSpace colGt orelse(term:1024, locationType))
syntax location := withPosition(ppGroup(" at" orelse(locationWildcard, locationHyp)))
syntax rwRule := optional("← ") term
syntax rwRuleSeq := " [" withoutPosition(sepBy(rwRule, ", ", ", ", allowTrailingSep)) "]"
syntax (name := rewriteSeq) "rewrite" optConfig rwRuleSeq optional(location) : tactic
syntax (name := rwSeq) "rw " optConfig rwRuleSeq optional(location) : tactic
syntax (name := decide) "decide" optConfig : tactic
syntax (name := nativeDecide) "native_decide" optConfig : tactic
syntax simpPre := "↓"
syntax simpPost := "↑"
syntax discharger := atomic(" (" orelse("discharger", "disch")) " := " withoutPosition(tacticSeq) ")"
syntax simpLemma := ppGroup(optional(orelse(simpPre, simpPost)) optional("← ") term)
syntax simpErase := "-" term:1024
syntax simpStar := "*"
syntax simpArgs := " [" withoutPosition(sepBy(orelse(simpStar, orelse(simpErase, simpLemma)), ", ", ", ", allowTrailingSep)) "]"
syntax (name := simp) "simp" optConfig optional(discharger) optional(&" only") optional(simpArgs) optional(location) : tactic
syntax (name := unfold) "unfold" many1(ppSpace colGt ident) optional(location) : tactic
syntax (name := split) "split" optional(ppSpace colGt term) optional(location) : tactic
syntax (name := change) "change " term optional(location) : tactic
-- rcases patterns
end Parser.Tactic
structure Parser.Category
declare_syntax_cat rcasesPat
namespace Parser.Tactic
syntax rcasesPatMed := sepBy1(rcasesPat, " | ")
syntax rcasesPatLo := rcasesPatMed optional(" : " term)
syntax (name := rcasesPat.one) ident : rcasesPat
syntax (name := rcasesPat.ignore) "_" : rcasesPat
syntax (name := rcasesPat.clear) "-" : rcasesPat
syntax (name := rcasesPat.tuple) "⟨" sepBy(rcasesPatLo, ", ") "⟩" : rcasesPat
syntax (name := rcasesPat.paren) "(" rcasesPatLo ")" : rcasesPat
syntax (name := rcases) "rcases" sepBy(elimTarget, ", ") optional(" with " rcasesPatLo) : tactic
syntax (name := obtain) "obtain" optional(ppSpace rcasesPatMed) optional(" : " term) optional(" := " sepBy1(term, ", ")) : tactic

-- macros, written against `Syntax` directly
def null (a : Array Syntax) : Syntax := mkN `null a
def seqOf (ts : Array Syntax) : Syntax := mkN `Lean.Parser.Tactic.tacticSeq (a1 (mkN `Lean.Parser.Tactic.tacticSeq1Indented (a1 (null ts))))
def tk (k : Name) (s : String) : Syntax := mkN k (a1 (mkA s))
def semi : Syntax := mkA ";"
def alt (s : Syntax) : Syntax := mkN `group (a2 (mkA "| ") s)
def firstOf (ss : Array Syntax) : Syntax := mkN ``first (a2 (mkA "first") (null ss))
def exactC (c : Name) : Syntax := mkN ``exact (a2 (mkA "exact") (mkC c))
def qhole : Syntax := mkN `Lean.Parser.Term.syntheticHole (a2 (mkA "?") (mkN `Lean.Parser.Term.hole (a1 (mkA "_"))))
def refineT (t : Syntax) : Syntax := mkN ``refine (a2 (mkA "refine") t)
def getArgs (s : Syntax) : Array Syntax := copyArgs s s.getNumArgs 0 a0
where copyArgs (s : Syntax) : Nat → Nat → Array Syntax → Array Syntax
  | .zero, _, made => made
  | .succ n, i, made => copyArgs s n (.succ i) (Array.push made (s.getArg i))
def one (t : Syntax) : Syntax := alt (seqOf (a1 t))
def ok (s : Syntax) : MacroM Syntax := fun _ st => .ok s st

syntax (name := tacticTry_) "try " tacticSeq : tactic
@[macro tacticTry_] def mTry : Macro := fun s => ok (firstOf (a2 (alt (s.getArg 1)) (one (tk ``skip "skip"))))
syntax (name := tacticRfl) "rfl" : tactic
@[macro tacticRfl] def mRfl : Macro := fun _ =>
  ok (firstOf (a3 (one (exactC ``Iff.rfl)) (one (exactC ``HEq.rfl)) (one (tk ``eqRefl "eq_refl"))))
syntax (name := tacticTrivial) "trivial" : tactic
@[macro tacticTrivial] def mTrivial : Macro := fun _ =>
  let both := mkN `Lean.Parser.Tactic.«tactic_<;>_» (a3 (mkN ``apply (a2 (mkA "apply") (mkC ``And.intro))) (mkA "<;>") (tk ``tacticTrivial "trivial"))
  ok (firstOf (Array.push (Array.push (a4 (one (tk ``assumption "assumption")) (one (exactC ``True.intro)) (one (tk ``tacticRfl "rfl"))
    (one (mkN ``decide (a2 (mkA "decide") (mkN ``optConfig (a1 (null a0))))))) (one both)) (one (tk ``contradiction "contradiction"))))
syntax (name := tacticExfalso) "exfalso" : tactic
@[macro tacticExfalso] def mExfalso : Macro := fun _ => ok (refineT (Syntax.mkCApp ``False.elim (a1 qhole)))
syntax:1 (name := «tactic_<;>_») tactic:1 " <;> " tactic:2 : tactic
@[macro «tactic_<;>_»] def mThen : Macro := fun s =>
  ok (mkN ``focus (a2 (mkA "focus") (seqOf (a3 (s.getArg 0) semi (mkN ``allGoals (a2 (mkA "all_goals") (seqOf (a1 (s.getArg 2)))))))))
syntax (name := tacticRepeat_) "repeat " tacticSeq : tactic
@[macro tacticRepeat_] def mRepeat : Macro := fun s =>
  ok (firstOf (a2 (alt (seqOf (a3 (mkN ``paren (a3 (mkA "(") (s.getArg 1) (mkA ")"))) semi s))) (one (tk ``skip "skip"))))
@[macro rwSeq] def mRw : Macro := fun s =>
  ok (mkN ``paren (a3 (mkA "(") (seqOf (a3 (mkN ``rewriteSeq (a4 (mkA "rewrite") (s.getArg 1) (s.getArg 2) (s.getArg 3))) semi
    (mkN ``tacticTry_ (a2 (mkA "try") (seqOf (a1 (mkN ``withReducible (a2 (mkA "with_reducible") (seqOf (a1 (tk ``tacticRfl "rfl"))))))))))) (mkA ")")))
syntax (name := tacticHave) "have " letDecl : tactic
@[macro tacticHave] def mHave : Macro := fun s =>
  ok (refineT (mkN `Lean.Parser.Term.have (Array.push (a4 (mkA "have") (mkN `Lean.Parser.Term.letConfig (a1 (null a0))) (s.getArg 1) semi) qhole)))
syntax (name := tacticExists) "exists " sepBy1(term, ", ") : tactic
@[macro tacticExists] def mExists : Macro := fun s =>
  ok (mkN ``paren (a3 (mkA "(") (seqOf (a3 (refineT (mkN `Lean.Parser.Term.anonymousCtor (a3 (mkA "⟨") (null (Array.push (Array.push (getArgs (s.getArg 1)) (mkA ",")) qhole)) (mkA "⟩")))) semi
    (mkN ``tacticTry_ (a2 (mkA "try") (seqOf (a1 (tk ``tacticTrivial "trivial"))))))) (mkA ")")))

-- more of the grammar
syntax (name := symm) "symm" optional(location) : tactic
syntax (name := rename) "rename " term " => " ident : tactic
syntax (name := congr) "congr" optional(ppSpace num) : tactic
syntax (name := injections) "injections" many(colGt orelse(ident, hole)) : tactic
syntax (name := substVars) "subst_vars" : tactic
syntax (name := rotateRight) "rotate_right" optional(ppSpace num) : tactic
syntax (name := failIfSuccess) "fail_if_success " tacticSeq : tactic
syntax (name := delta) "delta" many1(ppSpace colGt ident) optional(location) : tactic
syntax (name := classical) "classical" ppDedent(tacticSeq) : tactic
syntax generalizeArg := optional(atomic(ident " : ")) term:51 " = " ident
syntax (name := generalize) "generalize " sepBy1(generalizeArg, ", ") optional(location) : tactic
syntax dsimpArgs := " [" withoutPosition(sepBy(orelse(simpErase, simpLemma), ", ", ", ", allowTrailingSep)) "]"
syntax (name := dsimp) "dsimp" optConfig optional(discharger) optional(&" only") optional(dsimpArgs) optional(location) : tactic
syntax (name := simpAll) "simp_all" optConfig optional(discharger) optional(&" only") optional(dsimpArgs) : tactic
syntax simpaArgsRest := optConfig optional(discharger) optional(&" only ") optional(simpArgs) optional(" using " term)
syntax (name := simpa) "simpa" optional("?") optional("!") simpaArgsRest : tactic
end Parser.Tactic
declare_syntax_cat rintroPat
namespace Parser.Tactic
syntax (name := rintroPat.one) rcasesPat : rintroPat
syntax (name := rintroPat.binder) "(" rcasesPatLo ")" : rintroPat
syntax (name := rintro) "rintro" many1(ppSpace colGt rintroPat) optional(" : " term) : tactic

def mkIdent (s : String) (stop : Nat) : Syntax := .ident .none ⟨s, .zero, stop⟩ (.str .anonymous s) .nil
def parens (ts : Array Syntax) : Syntax := mkN ``paren (a3 (mkA "(") (seqOf ts) (mkA ")"))
def intro1 (x : Syntax) : Syntax := mkN ``intro (a2 (mkA "intro") (null (a1 x)))
def then_ (t u : Syntax) : Syntax := mkN ``«tactic_<;>_» (a3 t (mkA "<;>") u)
syntax (name := tacticBy_cases_) "by_cases " optional(atomic(ident " : ")) term : tactic
@[macro tacticBy_cases_] def mByCases : Macro := fun s =>
  let h := cond ((s.getArg 1).getNumArgs.beq .zero) (mkIdent "h" 1) ((s.getArg 1).getArg .zero)
  ok (then_ (refineT (Syntax.mkCApp `Or.elim (a3 (Syntax.mkCApp `Classical.em (a1 (s.getArg 2))) qhole qhole))) (intro1 h))
syntax (name := «tacticNext_=>_») "next " many(binderIdent) " => " tacticSeq : tactic
@[macro «tacticNext_=>_»] def mNext : Macro := fun s =>
  let any := mkN `Lean.binderIdent (a1 (mkN `Lean.Parser.Term.hole (a1 (mkA "_"))))
  ok (mkN ``case (a4 (mkA "case") (null (a1 (mkN `Lean.Parser.Tactic.caseArg (a2 any (s.getArg 1))))) (mkA "=>") (s.getArg 3)))
def funextSteps (xs : Syntax) : Nat → Nat → Array Syntax → Array Syntax
  | .zero, _, made => made
  | .succ n, i, made => funextSteps xs n (.succ i) (Array.push (Array.push (Array.push (Array.push made
      (mkN ``apply (a2 (mkA "apply") (mkC ``funext)))) semi) (intro1 (xs.getArg i))) semi)
syntax (name := tacticFunext___) "funext" many1(ppSpace colGt term:1024) : tactic
@[macro tacticFunext___] def mFunext : Macro := fun s =>
  ok (parens (Array.push (funextSteps (s.getArg 1) (s.getArg 1).getNumArgs .zero a0) (tk ``skip "skip")))
syntax (name := tacticRwa__) "rwa " rwRuleSeq optional(location) : tactic
@[macro tacticRwa__] def mRwa : Macro := fun s =>
  ok (parens (a3 (mkN ``rwSeq (a4 (mkA "rw") (mkN ``optConfig (a1 (null a0))) (s.getArg 1) (s.getArg 2))) semi (tk ``assumption "assumption")))
syntax (name := tacticInfer_instance) "infer_instance" : tactic
@[macro tacticInfer_instance] def mInfer : Macro := fun _ => ok (exactC ``inferInstance)
syntax (name := tacticLet__) "let " letConfig letDecl : tactic
@[macro tacticLet__] def mLet : Macro := fun s =>
  ok (refineT (mkN `Lean.Parser.Term.let (Array.push (a4 (mkA "let") (s.getArg 1) (s.getArg 2) semi) qhole)))
syntax (name := tacticSuffices_) "suffices " sufficesDecl : tactic
@[macro tacticSuffices_] def mSuffices : Macro := fun s =>
  ok (refineT (mkN `Lean.Parser.Term.suffices (a4 (mkA "suffices") (s.getArg 1) semi qhole)))
syntax (name := tacticNofun) "nofun" : tactic
@[macro tacticNofun] def mNofun : Macro := fun _ => ok (mkN ``exact (a2 (mkA "exact") (mkN `Lean.Parser.Term.nofun (a1 (mkA "nofun")))))
end Parser.Tactic
syntax cdotTk := orelse("· ", ". ")
syntax (name := cdot) cdotTk withPosition(tacticSeq) : tactic
syntax calcFirstStep := ppIndent(colGe term optional(" := " term))
syntax calcStep := ppIndent(colGe term " := " term)
syntax calcSteps := ppLine withPosition(calcFirstStep) withPosition(many(calcStep ppLine))
syntax (name := calc) "calc" calcSteps : term
syntax (name := calcTactic) "calc" calcSteps : tactic
end Lean
