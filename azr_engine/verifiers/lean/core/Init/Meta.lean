/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result, Macro.Context; the grammar of tactics), it follows Lean 4, copyright Microsoft
Corporation and Lean FRO, Apache License 2.0.
-/
prelude
import Init.Core
/-! Mini core library, part 2: the meta types the compiled elaborator exchanges with user code
(`Name`, `Syntax`, `ParserDescr`, `Macro`), with the run-time layout it expects.
Functions are bound to the native ones by name (`extern`: the interpreter looks the symbol up). -/
universe u v w
set_option linter.all false

structure Char where
  val : Nat
structure String where
  data : List Char
structure Array (α : Type u) where
  toList : List α
@[extern "_"] opaque Array.mkEmpty {α : Type u} (c : @& Nat) : Array α := ⟨.nil⟩
@[extern "_"] opaque Array.push {α : Type u} (a : Array α) (v : α) : Array α := a
@[extern "_"] opaque String.append (a : String) (b : @& String) : String := a
structure Substring.Raw where
  str : String
  startPos : Nat
  stopPos : Nat
inductive EStateM.Result (ε σ α : Type u) where
  | ok : α → σ → Result ε σ α
  | error : ε → σ → Result ε σ α

namespace Lean
inductive Name where
  | anonymous : Name
  | str (pre : Name) (s : String)
  | num (pre : Name) (i : Nat)
-- names carry a cached hash: construct them natively
@[extern "_"] opaque Name.str._override (pre : Name) (s : String) : Name := .anonymous
@[extern "_"] opaque Name.num._override (pre : Name) (i : Nat) : Name := .anonymous
attribute [implemented_by Name.str._override] Name.str
attribute [implemented_by Name.num._override] Name.num
abbrev Name.mkStr (p : Name) (s : String) : Name := .str p s
abbrev Name.mkSimple (s : String) : Name := .str .anonymous s
abbrev Name.mkStr1 (s1 : String) : Name := (.str .anonymous s1)
abbrev Name.mkStr2 (s1 s2 : String) : Name := (.str (.str .anonymous s1) s2)
abbrev Name.mkStr3 (s1 s2 s3 : String) : Name := (.str (.str (.str .anonymous s1) s2) s3)
abbrev Name.mkStr4 (s1 s2 s3 s4 : String) : Name := (.str (.str (.str (.str .anonymous s1) s2) s3) s4)
abbrev Name.mkStr5 (s1 s2 s3 s4 s5 : String) : Name := (.str (.str (.str (.str (.str .anonymous s1) s2) s3) s4) s5)
abbrev Name.mkStr6 (s1 s2 s3 s4 s5 s6 : String) : Name := (.str (.str (.str (.str (.str (.str .anonymous s1) s2) s3) s4) s5) s6)
abbrev Name.mkStr7 (s1 s2 s3 s4 s5 s6 s7 : String) : Name := (.str (.str (.str (.str (.str (.str (.str .anonymous s1) s2) s3) s4) s5) s6) s7)
abbrev Name.mkStr8 (s1 s2 s3 s4 s5 s6 s7 s8 : String) : Name := (.str (.str (.str (.str (.str (.str (.str (.str .anonymous s1) s2) s3) s4) s5) s6) s7) s8)
abbrev SyntaxNodeKind := Name
inductive SourceInfo where
  | original (leading : Substring.Raw) (pos : Nat) (trailing : Substring.Raw) (endPos : Nat)
  | synthetic (pos endPos : Nat) (canonical : optParam Bool false)
  | none
inductive Syntax.Preresolved where
  | namespace (ns : Name)
  | decl (n : Name) (fields : List String)
inductive Syntax where
  | missing : Syntax
  | node (info : SourceInfo) (kind : SyntaxNodeKind) (args : Array Syntax)
  | atom (info : SourceInfo) (val : String)
  | ident (info : SourceInfo) (rawVal : Substring.Raw) (val : Name) (preresolved : List Syntax.Preresolved)
instance : Inhabited Syntax := ⟨.missing⟩
@[extern "_"] opaque Syntax.getArg (stx : @& Syntax) (i : @& Nat) : Syntax
@[extern "_"] opaque Syntax.mkCApp (fn : Name) (args : Array Syntax) : Syntax
inductive ParserDescr where
  | const (name : Name)
  | unary (name : Name) (p : ParserDescr)
  | binary (name : Name) (p₁ p₂ : ParserDescr)
  | node (kind : SyntaxNodeKind) (prec : Nat) (p : ParserDescr)
  | trailingNode (kind : SyntaxNodeKind) (prec lhsPrec : Nat) (p : ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Name) (rbp : Nat)
  | parser (declName : Name)
  | nodeWithAntiquot (name : String) (kind : SyntaxNodeKind) (p : ParserDescr)
  | sepBy (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : optParam Bool false)
  | sepBy1 (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : optParam Bool false)
  | unicodeSymbol (val asciiVal : String) (preserveForPP : Bool)
abbrev TrailingParserDescr := ParserDescr
end Lean

namespace Lean
-- macros: `Syntax → Context → State → Result`; what a context begins with and the other components stay abstract
structure Macro.Context where
  methods : Nat
  mainModule : Name
  currMacroScope : Nat
  currRecDepth : Nat
  maxRecDepth : Nat
  ref : Syntax
structure Macro.State where
  dummy : Nat
structure Macro.Exception where
  dummy : Nat
abbrev MacroM (α : Type) := Macro.Context → Macro.State → EStateM.Result Macro.Exception Macro.State α
abbrev Macro := Syntax → MacroM Syntax
@[extern "_"] opaque Macro.throwUnsupported {α : Type} : MacroM α := fun _ s => .error ⟨.zero⟩ s

def a0 : Array Syntax := Array.mkEmpty .zero
abbrev a1 (x : Syntax) : Array Syntax := Array.push a0 x
abbrev a2 (x y : Syntax) : Array Syntax := Array.push (a1 x) y
abbrev a3 (x y z : Syntax) : Array Syntax := Array.push (a2 x y) z
abbrev a4 (x y z w : Syntax) : Array Syntax := Array.push (a3 x y z) w
abbrev mkN (k : Name) (args : Array Syntax) : Syntax := .node .none k args
abbrev mkA (s : String) : Syntax := .atom .none s
def mkC (c : Name) : Syntax := Syntax.mkCApp c a0
/-- `f x y` from arguments 0 and 2 -/
def binMacro (c : Name) : Macro := fun s _ st => .ok (Syntax.mkCApp c (a2 (s.getArg 0) (s.getArg 2))) st
/-- through the built-in `binop%`, `binrel%` elaborators -/
def opMacro (k : Name) (a : String) (c : Name) : Macro := fun s _ st =>
  .ok (mkN k (a4 (mkA a) (mkC c) (s.getArg 0) (s.getArg 2))) st
def unMacro (c : Name) : Macro := fun s _ st => .ok (Syntax.mkCApp c (a1 (s.getArg 1))) st
end Lean

namespace Lean
@[extern "_"] opaque Syntax.getNumArgs (stx : Syntax) : Nat
abbrev PrettyPrinter.UnexpandM (α : Type) := Syntax → Unit → EStateM.Result Unit Unit α
abbrev PrettyPrinter.Unexpander := Syntax → PrettyPrinter.UnexpandM Syntax
/-- print `f a b` as `a tok b` -/
def unBin (k : Name) (tok : String) : PrettyPrinter.Unexpander := fun s _ u =>
  cond ((Syntax.getNumArgs (s.getArg 1)).beq 2)
    (.ok (mkN k (a3 ((s.getArg 1).getArg 0) (mkA tok) ((s.getArg 1).getArg 1))) u) (.error () u)
def unUn (k : Name) (tok : String) : PrettyPrinter.Unexpander := fun s _ u =>
  cond ((Syntax.getNumArgs (s.getArg 1)).beq 1)
    (.ok (mkN k (a2 (mkA tok) ((s.getArg 1).getArg 0))) u) (.error () u)
end Lean
