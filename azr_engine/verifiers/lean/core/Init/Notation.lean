/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Core
import Init.Meta
/-! Mini core library, part 3: notation. -/
set_option linter.all false
namespace Lean
syntax:20 (name := tIff) term:21 " ↔ " term:21 : term
@[macro tIff] def mIff : Macro := binMacro ``Iff
syntax:30 (name := tOr) term:31 " ∨ " term:30 : term
@[macro tOr] def mOr : Macro := binMacro ``Or
syntax:35 (name := tAnd) term:36 " ∧ " term:35 : term
@[macro tAnd] def mAnd : Macro := binMacro ``And
syntax:1024 (name := tNot) "¬" term:40 : term
@[macro tNot] def mNot : Macro := unMacro ``Not
syntax:50 (name := tEq) term:51 " = " term:51 : term
@[macro tEq] def mEq : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``Eq
syntax:50 (name := tNe) term:51 " ≠ " term:51 : term
@[macro tNe] def mNe : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``Ne
syntax:50 (name := tLe) term:51 " ≤ " term:51 : term
@[macro tLe] def mLe : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``LE.le
syntax:50 (name := tLt) term:51 " < " term:51 : term
@[macro tLt] def mLt : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``LT.lt
syntax:65 (name := tAdd) term:65 " + " term:66 : term
@[macro tAdd] def mAdd : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HAdd.hAdd
syntax:65 (name := tSub) term:65 " - " term:66 : term
@[macro tSub] def mSub : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HSub.hSub
syntax:70 (name := tMul) term:70 " * " term:71 : term
@[macro tMul] def mMul : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HMul.hMul
syntax:75 (name := tPow) term:76 " ^ " term:75 : term
@[macro tPow] def mPow : Macro := opMacro `Lean.Parser.Term.rightact "rightact%" ``HPow.hPow
syntax:65 (name := tAppend) term:65 " ++ " term:66 : term
@[macro tAppend] def mAppend : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HAppend.hAppend
syntax:67 (name := tCons) term:68 " :: " term:67 : term
@[macro tCons] def mCons : Macro := binMacro ``List.cons
syntax:35 (name := tProd) term:36 " × " term:35 : term
@[macro tProd] def mProd : Macro := binMacro ``Prod
syntax:50 (name := tGe) term:51 " ≥ " term:51 : term
@[macro tGe] def mGe : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``GE.ge
syntax:50 (name := tGt) term:51 " > " term:51 : term
@[macro tGt] def mGt : Macro := opMacro `Lean.Parser.Term.binrel "binrel%" ``GT.gt
syntax:70 (name := tDiv) term:70 " / " term:71 : term
@[macro tDiv] def mDiv : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HDiv.hDiv
syntax:70 (name := tMod) term:70 " % " term:71 : term
@[macro tMod] def mMod : Macro := opMacro `Lean.Parser.Term.binop "binop%" ``HMod.hMod
def foldArgs (f : Syntax → Syntax → Syntax) (z : Syntax) (s : Syntax) (step : Nat) : Nat → Nat → Syntax
  | .zero, _ => z
  | .succ n, i => f (s.getArg i) (foldArgs f z s step n (i.add step))
-- `∃ x y : T, p`
syntax (name := tExists) "∃ " many1(ppSpace colGt orelse(ident, hole)) optional(" : " term) ", " term : term
def mkFun (x ty body : Syntax) : Syntax :=
  let tysp := cond (ty.getNumArgs.beq .zero) (mkN `null a0) (mkN `null (a1 (mkN `Lean.Parser.Term.typeSpec (a2 (mkA ":") (ty.getArg 1)))))
  mkN `Lean.Parser.Term.fun (a2 (mkA "fun") (mkN `Lean.Parser.Term.basicFun (a4 (mkN `null (a1 x)) tysp (mkA "=>") body)))
@[macro tExists] def mExists : Macro := fun s _ st =>
  .ok (foldArgs (fun x b => Syntax.mkCApp ``Exists (a1 (mkFun x (s.getArg 2) b))) (s.getArg 4) (s.getArg 1) 1 (s.getArg 1).getNumArgs 0) st
-- `[a, b, c]`
syntax (name := tList) "[" sepBy(term, ", ", ", ", allowTrailingSep) "]" : term
def half : Nat → Nat
  | .zero => .zero
  | .succ .zero => .succ .zero
  | .succ (.succ n) => .succ (half n)
@[macro tList] def mList : Macro := fun s _ st =>
  .ok (foldArgs (fun x b => Syntax.mkCApp ``List.cons (a2 x b)) (mkC ``List.nil) (s.getArg 1) 2 (half (s.getArg 1).getNumArgs) 0) st
-- `if c then t else e`
syntax (name := tIte) ppRealGroup("if " term " then " term " else " term) : term
@[macro tIte] def mIte : Macro := fun s _ st =>
  let s := cond (s.getNumArgs.beq 1) (s.getArg 0) s
  .ok (Syntax.mkCApp ``ite (a3 (s.getArg 1) (s.getArg 3) (s.getArg 5))) st
-- `if h : c then t else e`
syntax (name := termDepIfThenElse) ppRealGroup("if " atomic(orelse(ident, hole) " : ") term " then " term " else " term) : term
def mkLam (x body : Syntax) : Syntax :=
  mkN `Lean.Parser.Term.fun (a2 (mkA "fun") (mkN `Lean.Parser.Term.basicFun (a4 (mkN `null (a1 x)) (mkN `null a0) (mkA "=>") body)))
@[macro termDepIfThenElse] def mDite : Macro := fun s _ st =>
  let s := cond (s.getNumArgs.beq 1) (s.getArg 0) s
  .ok (Syntax.mkCApp ``dite (a3 (s.getArg 3) (mkLam (s.getArg 1) (s.getArg 5)) (mkLam (s.getArg 1) (s.getArg 7)))) st
-- membership and divisibility
syntax:50 (name := tMem) term:51 " ∈ " term:50 : term
@[macro tMem] def mMem : Macro := fun s _ st => .ok (Syntax.mkCApp ``Membership.mem (a2 (s.getArg 2) (s.getArg 0))) st
syntax:50 (name := tNotMem) term:51 " ∉ " term:50 : term
@[macro tNotMem] def mNotMem : Macro := fun s _ st =>
  .ok (Syntax.mkCApp ``Not (a1 (Syntax.mkCApp ``Membership.mem (a2 (s.getArg 2) (s.getArg 0))))) st
syntax:50 (name := tDvd) term:51 " ∣ " term:50 : term
@[macro tDvd] def mDvd : Macro := binMacro ``Dvd.dvd
-- `∀ x ∈ xs, p` and `∃ x ∈ xs, p`
syntax (name := tAllIn) "∀ " ident " ∈ " term ", " term : term
@[macro tAllIn] def mAllIn : Macro := fun s _ st =>
  .ok (Syntax.mkCApp ``Member.All (a2 (s.getArg 3) (mkLam (s.getArg 1) (s.getArg 5)))) st
syntax (name := tSomeIn) "∃ " ident " ∈ " term ", " term : term
@[macro tSomeIn] def mSomeIn : Macro := fun s _ st =>
  .ok (Syntax.mkCApp ``Exists (a1 (mkLam (s.getArg 1)
    (Syntax.mkCApp ``And (a2 (Syntax.mkCApp ``Membership.mem (a2 (s.getArg 3) (s.getArg 1))) (s.getArg 5)))))) st
-- `‹p›`: a hypothesis by its type
syntax (name := «term‹_›») "‹" withoutPosition(term) "›" : term
@[macro «term‹_›»] def mAssumption : Macro := fun s _ st =>
  let seq := mkN `Lean.Parser.Tactic.tacticSeq (a1 (mkN `Lean.Parser.Tactic.tacticSeq1Indented
    (a1 (mkN `null (a1 (mkN `Lean.Parser.Tactic.assumption (a1 (mkA "assumption"))))))))
  let anonymous := Syntax.ident .none ⟨"", .zero, .zero⟩ .anonymous .nil
  let paren := mkN `Lean.Parser.Term.hygienicLParen (a2 (mkA "(") (mkN `hygieneInfo (a1 anonymous)))
  .ok (mkN `Lean.Parser.Term.typeAscription (Array.push (a4 paren (mkN `Lean.Parser.Term.byTactic (a2 (mkA "by") seq)) (mkA ":")
    (mkN `null (a1 (s.getArg 1)))) (mkA ")"))) st
@[app_unexpander GE.ge] def u_tGe : PrettyPrinter.Unexpander := unBin ``tGe "≥"
@[app_unexpander GT.gt] def u_tGt : PrettyPrinter.Unexpander := unBin ``tGt ">"
@[app_unexpander HDiv.hDiv] def u_tDiv : PrettyPrinter.Unexpander := unBin ``tDiv "/"
@[app_unexpander HMod.hMod] def u_tMod : PrettyPrinter.Unexpander := unBin ``tMod "%"
@[app_unexpander Dvd.dvd] def u_tDvd : PrettyPrinter.Unexpander := unBin ``tDvd "∣"
@[app_unexpander Membership.mem] def u_tMem : PrettyPrinter.Unexpander := fun s _ u =>
  cond ((Syntax.getNumArgs (s.getArg 1)).beq 2)
    (.ok (mkN ``tMem (a3 ((s.getArg 1).getArg 1) (mkA "∈") ((s.getArg 1).getArg 0))) u) (.error () u)
@[app_unexpander Iff] def u_tIff : PrettyPrinter.Unexpander := unBin ``tIff "↔"
@[app_unexpander Or] def u_tOr : PrettyPrinter.Unexpander := unBin ``tOr "∨"
@[app_unexpander And] def u_tAnd : PrettyPrinter.Unexpander := unBin ``tAnd "∧"
@[app_unexpander Eq] def u_tEq : PrettyPrinter.Unexpander := unBin ``tEq "="
@[app_unexpander Ne] def u_tNe : PrettyPrinter.Unexpander := unBin ``tNe "≠"
@[app_unexpander LE.le] def u_tLe : PrettyPrinter.Unexpander := unBin ``tLe "≤"
@[app_unexpander LT.lt] def u_tLt : PrettyPrinter.Unexpander := unBin ``tLt "<"
@[app_unexpander HAdd.hAdd] def u_tAdd : PrettyPrinter.Unexpander := unBin ``tAdd "+"
@[app_unexpander HSub.hSub] def u_tSub : PrettyPrinter.Unexpander := unBin ``tSub "-"
@[app_unexpander HMul.hMul] def u_tMul : PrettyPrinter.Unexpander := unBin ``tMul "*"
@[app_unexpander HPow.hPow] def u_tPow : PrettyPrinter.Unexpander := unBin ``tPow "^"
@[app_unexpander HAppend.hAppend] def u_tAppend : PrettyPrinter.Unexpander := unBin ``tAppend "++"
@[app_unexpander List.cons] def u_tCons : PrettyPrinter.Unexpander := unBin ``tCons "::"
@[app_unexpander Prod] def u_tProd : PrettyPrinter.Unexpander := unBin ``tProd "×"
@[app_unexpander Not] def u_tNot : PrettyPrinter.Unexpander := unUn ``tNot "¬"
end Lean
