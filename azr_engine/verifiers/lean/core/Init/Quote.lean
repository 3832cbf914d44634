/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (TSyntax), it follows Lean 4, copyright Microsoft Corporation and Lean FRO, Apache License 2.0.
-/
prelude
import Init.Core
import Init.Meta
import Init.Notation
/-! Mini core library, part 9: what `notation`, `infixl` and their kin expand to. They write a macro whose two sides are
quotations; a quotation becomes a term of these constants. Names that it binds are fresh (`addMacroScope`). -/
set_option linter.all false
universe u v w

def Bool.or (a b : Bool) : Bool := cond a true b

class Bind (m : Type u → Type v) where
  bind : {α β : Type u} → m α → (α → m β) → m β
class Pure (m : Type u → Type v) where
  pure : {α : Type u} → α → m α
class MonadExcept (ε : outParam (Type u)) (m : Type v → Type w) where
  throw : {α : Type v} → ε → m α
class Functor (m : Type u → Type v) where
  map : {α β : Type u} → (α → β) → m α → m β
class Monad (m : Type u → Type v) extends Bind m, Pure m, Functor m

@[extern "_"] opaque String.toRawSubstring' (s : String) : Substring.Raw := ⟨s, .zero, .zero⟩

abbrev Array.mkArray0 {α : Type u} : Array α := Array.mkEmpty .zero
abbrev Array.mkArray1 {α : Type u} (a : α) : Array α := Array.push Array.mkArray0 a
abbrev Array.mkArray2 {α : Type u} (a b : α) : Array α := Array.push (Array.mkArray1 a) b
abbrev Array.mkArray3 {α : Type u} (a b c : α) : Array α := Array.push (Array.mkArray2 a b) c
abbrev Array.mkArray4 {α : Type u} (a b c d : α) : Array α := Array.push (Array.mkArray3 a b c) d

namespace Lean
abbrev Name.mkNum (p : Name) (i : Nat) : Name := .num p i
structure TSyntax (kinds : List SyntaxNodeKind) where
  raw : Syntax
instance (kinds : List SyntaxNodeKind) (s : TSyntax kinds) : CoeT (TSyntax kinds) s Syntax := ⟨s.raw⟩
instance (kind : SyntaxNodeKind) : CoeT SyntaxNodeKind kind (List SyntaxNodeKind) := ⟨.cons kind .nil⟩
@[extern "_"] opaque Syntax.isOfKind (s : Syntax) (kind : Name) : Bool
@[extern "_"] opaque Syntax.matchesNull (s : Syntax) (n : Nat) : Bool
@[extern "_"] opaque addMacroScope (module : Name) (n : Name) (scope : Nat) : Name := n
abbrev Syntax.node1 (i : SourceInfo) (k : SyntaxNodeKind) (a : Syntax) : Syntax := .node i k (a1 a)
abbrev Syntax.node2 (i : SourceInfo) (k : SyntaxNodeKind) (a b : Syntax) : Syntax := .node i k (a2 a b)
abbrev Syntax.node3 (i : SourceInfo) (k : SyntaxNodeKind) (a b c : Syntax) : Syntax := .node i k (a3 a b c)
abbrev Syntax.node4 (i : SourceInfo) (k : SyntaxNodeKind) (a b c d : Syntax) : Syntax := .node i k (a4 a b c d)
abbrev Syntax.node5 (i : SourceInfo) (k : SyntaxNodeKind) (a b c d e : Syntax) : Syntax :=
  .node i k (Array.push (a4 a b c d) e)
abbrev Syntax.node6 (i : SourceInfo) (k : SyntaxNodeKind) (a b c d e f : Syntax) : Syntax :=
  .node i k (Array.push (Array.push (a4 a b c d) e) f)
abbrev Syntax.node7 (i : SourceInfo) (k : SyntaxNodeKind) (a b c d e f g : Syntax) : Syntax :=
  .node i k (Array.push (Array.push (Array.push (a4 a b c d) e) f) g)
abbrev Syntax.node8 (i : SourceInfo) (k : SyntaxNodeKind) (a b c d e f g h : Syntax) : Syntax :=
  .node i k (Array.push (Array.push (Array.push (Array.push (a4 a b c d) e) f) g) h)

abbrev Scoped (Context ε σ : Type) (α : Type) := Context → σ → EStateM.Result ε σ α
def Scoped.bind {Context ε σ α β : Type} (x : Scoped Context ε σ α) (f : α → Scoped Context ε σ β) :
    Scoped Context ε σ β := fun c s =>
  match x c s with
  | .ok a s => f a c s
  | .error e s => .error e s
instance : Monad MacroM where
  bind x f := Scoped.bind x f
  pure a := fun _ s => .ok a s
  map f x := Scoped.bind x (fun a _ s => .ok (f a) s)
instance : Monad PrettyPrinter.UnexpandM where
  bind x f := Scoped.bind x f
  pure a := fun _ s => .ok a s
  map f x := Scoped.bind x (fun a _ s => .ok (f a) s)

def Macro.Exception.unsupportedSyntax : Macro.Exception := ⟨.zero⟩
instance : MonadExcept Macro.Exception MacroM := ⟨fun _ => Macro.throwUnsupported⟩
instance : MonadExcept Unit PrettyPrinter.UnexpandM := ⟨fun e _ s => .error e s⟩
class MonadQuotation (m : Type → Type) where
  getCurrMacroScope : m Nat
  getContext : m Name
instance : MonadQuotation MacroM where
  getCurrMacroScope := fun c s => .ok c.currMacroScope s
  getContext := fun c s => .ok c.mainModule s
instance : MonadQuotation PrettyPrinter.UnexpandM where
  getCurrMacroScope := fun _ s => .ok .zero s
  getContext := fun _ s => .ok (.mkSimple "_fakeMod") s
def MonadRef.mkInfoFromRefPos {m : Type → Type} [Monad m] : m SourceInfo := Pure.pure .none
def withRef {m : Type → Type} {α : Type} (_ : Syntax) (x : m α) : m α := x
end Lean
