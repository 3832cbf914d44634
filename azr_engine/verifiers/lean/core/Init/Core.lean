/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
/-! Mini core library, part 1: logic and data, term mode only. Own text; names follow what
the elaborator and kernel look up. -/
universe u v w
set_option linter.all false

-- code generator markers
unsafe axiom lcErased : Type
unsafe axiom lcAny : Type
unsafe axiom lcVoid : Type
unsafe axiom lcProof {α : Prop} : α
unsafe axiom lcUnreachable {α : Sort u} : α
unsafe axiom lcCast {α : Sort u} {β : Sort v} (a : α) : β

-- elaborator gadgets
@[reducible] def outParam (α : Sort u) : Sort u := α
@[reducible] def semiOutParam (α : Sort u) : Sort u := α
@[reducible] def optParam (α : Sort u) (_ : α) : Sort u := α
def id {α : Sort u} (a : α) : α := a
@[inline] def Function.const {α : Sort u} (β : Sort v) (a : α) : β → α := fun _ => a
@[inline] def Function.comp {α : Sort u} {β : Sort v} {δ : Sort w} (f : β → δ) (g : α → β) : α → δ := fun x => f (g x)
set_option checkBinderAnnotations false in
@[inline] abbrev inferInstance {α : Sort u} [i : α] : α := i

inductive True : Prop where | intro : True
inductive False : Prop
@[macro_inline] def False.elim {C : Sort u} (h : False) : C := h.rec
def Not (a : Prop) : Prop := a → False
@[macro_inline] def absurd {a : Prop} {b : Sort v} (h : a) (k : Not a) : b := (k h).rec
theorem trivial : True := .intro
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u where | unit : PUnit
abbrev Unit : Type := PUnit
@[match_pattern] abbrev Unit.unit : Unit := PUnit.unit
inductive Empty : Type

inductive Eq {α : Sort u} : α → α → Prop where | refl (a : α) : Eq a a
@[match_pattern] def rfl {α : Sort u} {a : α} : Eq a a := Eq.refl a
abbrev Eq.ndrec.{u1, u2} {α : Sort u2} {a : α} {motive : α → Sort u1} (m : motive a) {b : α}
    (h : Eq a b) : motive b := Eq.rec (motive := fun x _ => motive x) m h
inductive HEq {α : Sort u} : α → {β : Sort u} → β → Prop where | refl (a : α) : HEq a a
theorem HEq.rfl {α : Sort u} {a : α} : HEq a a := HEq.refl a
theorem Eq.symm {α : Sort u} {a b : α} (h : Eq a b) : Eq b a := h ▸ rfl
theorem Eq.trans {α : Sort u} {a b c : α} (h : Eq a b) (k : Eq b c) : Eq a c := h ▸ k
theorem Eq.subst {α : Sort u} {motive : α → Prop} {a b : α} (h : Eq a b) (x : motive a) : motive b := h ▸ x
theorem congrArg {α : Sort u} {β : Sort v} {a₁ a₂ : α} (f : α → β) (h : Eq a₁ a₂) : Eq (f a₁) (f a₂) := h ▸ rfl
theorem congrFun {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : Eq f g) (a : α) : Eq (f a) (g a) := h ▸ rfl
theorem congrFun' {α : Sort u} {β : Sort v} {f g : α → β} (h : Eq f g) (a : α) : Eq (f a) (g a) := h ▸ rfl
theorem congr {α : Sort u} {β : Sort v} {f₁ f₂ : α → β} {a₁ a₂ : α} (h₁ : Eq f₁ f₂) (h₂ : Eq a₁ a₂) : Eq (f₁ a₁) (f₂ a₂) := h₁ ▸ h₂ ▸ rfl
@[macro_inline] def cast {α β : Sort u} (h : Eq α β) (a : α) : β := Eq.rec (motive := fun t _ => t) a h
@[macro_inline] def Eq.mp {α β : Sort u} (h : Eq α β) (a : α) : β := cast h a
@[macro_inline] def Eq.mpr {α β : Sort u} (h : Eq α β) (b : β) : α := cast h.symm b
theorem heq_of_eq {α : Sort u} {a b : α} (h : Eq a b) : HEq a b := h ▸ HEq.refl a
theorem eq_of_heq {α : Sort u} {a b : α} (h : HEq a b) : Eq a b :=
  have aux : (β : Sort u) → (y : β) → HEq a y → (k : Eq α β) → Eq (cast k a) y :=
    fun _ _ e => HEq.rec (motive := fun {β} (y : β) _ => (k : Eq α β) → Eq (cast k a) y) (fun _ => Eq.refl a) e
  aux α b h rfl
def Ne {α : Sort u} (a b : α) : Prop := Not (Eq a b)

structure Prod (α : Type u) (β : Type v) where
  fst : α
  snd : β
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
structure MProd (α β : Type u) where
  fst : α
  snd : β
structure PULift.{r, s} (α : Sort s) : Sort (max s r 1) where
  up ::
  down : α
structure And (a b : Prop) : Prop where
  intro ::
  left : a
  right : b
inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b
structure Iff (a b : Prop) : Prop where
  intro ::
  mp : a → b
  mpr : b → a
inductive Exists {α : Sort u} (p : α → Prop) : Prop where
  | intro (w : α) (h : p w) : Exists p

inductive Bool : Type where | false | true
export Bool (true false)
@[macro_inline] def cond {α : Sort u} (c : Bool) (x y : α) : α :=
  match c with
  | true => x
  | false => y
@[extern "lean_sorry", never_extract] axiom sorryAx (α : Sort u) (synthetic : optParam Bool false) : α

set_option genCtorIdx false in
inductive Nat where | zero | succ (n : Nat)
@[extern "lean_nat_add"] def Nat.add (n : Nat) : Nat → Nat
  | .zero => n
  | .succ m => .succ (Nat.add n m)
def Bool.ctorIdx : Bool → Nat
  | false => .zero
  | true => .succ .zero
@[extern "lean_nat_mul"] def Nat.mul (n : Nat) : Nat → Nat
  | .zero => .zero
  | .succ m => Nat.add (Nat.mul n m) n
@[extern "lean_nat_pow"] def Nat.pow (n : Nat) : Nat → Nat
  | .zero => .succ .zero
  | .succ m => Nat.mul (Nat.pow n m) n
@[extern "lean_nat_pred"] def Nat.pred : Nat → Nat
  | .zero => .zero
  | .succ m => m
@[extern "lean_nat_sub"] def Nat.sub (n : Nat) : Nat → Nat
  | .zero => n
  | .succ m => Nat.pred (Nat.sub n m)
@[extern "lean_nat_dec_eq"] def Nat.beq : Nat → Nat → Bool
  | .zero, .zero => true
  | .zero, .succ _ => false
  | .succ _, .zero => false
  | .succ n, .succ m => beq n m
@[extern "lean_nat_dec_le"] def Nat.ble : Nat → Nat → Bool
  | .zero, _ => true
  | .succ _, .zero => false
  | .succ n, .succ m => ble n m
theorem Nat.beq_self : (n : Nat) → Eq (beq n n) true
  | .zero => rfl
  | .succ n => beq_self n
theorem noConfusion_of_Nat {α : Sort u} (f : α → Nat) {a b : α} (h : Eq a b) :
    Bool.rec (motive := fun _ => Prop) False True (Nat.beq (f a) (f b)) :=
  h ▸ (Nat.beq_self (f a)).symm ▸ True.intro
theorem Nat.eq_of_beq_eq_true : (n m : Nat) → Eq (beq n m) true → Eq n m
  | .zero, .zero, _ => rfl
  | .zero, .succ _, h => nomatch h
  | .succ _, .zero, h => nomatch h
  | .succ n, .succ m, h => congrArg Nat.succ (eq_of_beq_eq_true n m h)

class inductive Decidable (p : Prop) where
  | isFalse (h : Not p) : Decidable p
  | isTrue (h : p) : Decidable p
@[inline] def Decidable.decide (p : Prop) [h : Decidable p] : Bool :=
  h.casesOn (fun _ => false) (fun _ => true)
export Decidable (isTrue isFalse decide)
abbrev DecidableEq (α : Sort u) := (a b : α) → Decidable (Eq a b)
abbrev DecidablePred {α : Sort u} (r : α → Prop) := (a : α) → Decidable (r a)
@[extern "lean_nat_dec_eq"] def Nat.decEq (n m : Nat) : Decidable (Eq n m) :=
  match h : beq n m with
  | true => .isTrue (eq_of_beq_eq_true n m h)
  | false => .isFalse (fun e => nomatch (Eq.trans (Eq.symm h) (Eq.subst (motive := fun m => Eq (beq n m) true) e (beq_self n))))
def Nat.ctorIdx : Nat → Nat
  | .zero => .zero
  | .succ _ => .succ .zero
instance instDecidableEqNat : DecidableEq Nat := Nat.decEq
@[macro_inline] def dite {α : Sort u} (c : Prop) [h : Decidable c] (t : c → α) (e : Not c → α) : α :=
  match h with
  | .isTrue p => t p
  | .isFalse p => e p
@[macro_inline] def ite {α : Sort u} (c : Prop) [h : Decidable c] (t e : α) : α :=
  match h with
  | .isTrue _ => t
  | .isFalse _ => e
theorem of_decide_eq_true {p : Prop} [i : Decidable p] : Eq (decide p) true → p :=
  match i with
  | .isTrue h => fun _ => h
  | .isFalse _ => fun h => nomatch h
theorem decide_eq_true {p : Prop} [i : Decidable p] (h : p) : Eq (decide p) true :=
  match i with
  | .isTrue _ => rfl
  | .isFalse k => absurd h k
theorem of_decide_eq_false {p : Prop} [i : Decidable p] : Eq (decide p) false → Not p :=
  match i with
  | .isTrue _ => fun h => nomatch h
  | .isFalse k => fun _ => k
theorem decide_eq_false {p : Prop} [i : Decidable p] (h : Not p) : Eq (decide p) false :=
  match i with
  | .isTrue k => absurd k h
  | .isFalse _ => rfl
instance : Decidable True := .isTrue trivial
instance : Decidable False := .isFalse id
instance instDecidableAnd {p q : Prop} [a : Decidable p] [b : Decidable q] : Decidable (And p q) :=
  match a, b with
  | .isTrue x, .isTrue y => .isTrue ⟨x, y⟩
  | .isFalse x, _ => .isFalse (fun h => x h.left)
  | _, .isFalse y => .isFalse (fun h => y h.right)
instance instDecidableOr {p q : Prop} [a : Decidable p] [b : Decidable q] : Decidable (Or p q) :=
  match a, b with
  | .isTrue x, _ => .isTrue (.inl x)
  | _, .isTrue y => .isTrue (.inr y)
  | .isFalse x, .isFalse y => .isFalse (fun h => match h with | .inl h => x h | .inr h => y h)
instance instDecidableNot {p : Prop} [a : Decidable p] : Decidable (Not p) :=
  match a with
  | .isTrue x => .isFalse (fun k => k x)
  | .isFalse x => .isTrue x
instance instDecidableForall {p q : Prop} [a : Decidable p] [b : Decidable q] : Decidable (p → q) :=
  match a, b with
  | .isFalse x, _ => .isTrue (fun h => absurd h x)
  | _, .isTrue y => .isTrue (fun _ => y)
  | .isTrue x, .isFalse y => .isFalse (fun h => y (h x))
instance instDecidableEqBool : DecidableEq Bool := fun a b =>
  match a, b with
  | true, true => .isTrue rfl
  | false, false => .isTrue rfl
  | true, false => .isFalse (fun h => nomatch h)
  | false, true => .isFalse (fun h => nomatch h)

class inductive Nonempty (α : Sort u) : Prop where | intro (a : α) : Nonempty α
class Inhabited (α : Sort u) where
  default : α
export Inhabited (default)
instance : Inhabited Prop := ⟨True⟩
instance : Inhabited Nat := ⟨.zero⟩
instance : Inhabited Bool := ⟨false⟩
instance {α : Sort u} {β : Sort v} [Inhabited β] : Inhabited (α → β) := ⟨fun _ => default⟩
instance {α : Sort u} [Inhabited α] : Nonempty α := ⟨default⟩

-- numerals and arithmetic classes
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
@[default_instance 100] instance instOfNatNat (n : Nat) : OfNat Nat n := ⟨n⟩
class HAdd (α : Type u) (β : Type v) (γ : outParam (Type w)) where hAdd : α → β → γ
class HSub (α : Type u) (β : Type v) (γ : outParam (Type w)) where hSub : α → β → γ
class HMul (α : Type u) (β : Type v) (γ : outParam (Type w)) where hMul : α → β → γ
class HDiv (α : Type u) (β : Type v) (γ : outParam (Type w)) where hDiv : α → β → γ
class HMod (α : Type u) (β : Type v) (γ : outParam (Type w)) where hMod : α → β → γ
class HPow (α : Type u) (β : Type v) (γ : outParam (Type w)) where hPow : α → β → γ
class HAppend (α : Type u) (β : Type v) (γ : outParam (Type w)) where hAppend : α → β → γ
class Add (α : Type u) where add : α → α → α
class Sub (α : Type u) where sub : α → α → α
class Mul (α : Type u) where mul : α → α → α
class Div (α : Type u) where div : α → α → α
class Mod (α : Type u) where mod : α → α → α
class NatPow (α : Type u) where pow : α → Nat → α
class Append (α : Type u) where append : α → α → α
@[default_instance] instance instHAdd {α : Type u} [Add α] : HAdd α α α := ⟨Add.add⟩
@[default_instance] instance instHSub {α : Type u} [Sub α] : HSub α α α := ⟨Sub.sub⟩
@[default_instance] instance instHMul {α : Type u} [Mul α] : HMul α α α := ⟨Mul.mul⟩
@[default_instance] instance instHDiv {α : Type u} [Div α] : HDiv α α α := ⟨Div.div⟩
@[default_instance] instance instHMod {α : Type u} [Mod α] : HMod α α α := ⟨Mod.mod⟩
@[default_instance] instance instHPow {α : Type u} [NatPow α] : HPow α Nat α := ⟨NatPow.pow⟩
@[default_instance] instance instHAppend {α : Type u} [Append α] : HAppend α α α := ⟨Append.append⟩
instance instAddNat : Add Nat := ⟨Nat.add⟩
instance instSubNat : Sub Nat := ⟨Nat.sub⟩
instance instMulNat : Mul Nat := ⟨Nat.mul⟩
instance instNatPowNat : NatPow Nat := ⟨Nat.pow⟩
class LE (α : Type u) where le : α → α → Prop
class LT (α : Type u) where lt : α → α → Prop
@[reducible] def GE.ge {α : Type u} [LE α] (a b : α) : Prop := LE.le b a
@[reducible] def GT.gt {α : Type u} [LT α] (a b : α) : Prop := LT.lt b a
protected inductive Nat.le (n : Nat) : Nat → Prop where
  | refl : Nat.le n n
  | step {m} : Nat.le n m → Nat.le n (succ m)
instance instLENat : LE Nat := ⟨Nat.le⟩
@[reducible] protected def Nat.lt (n m : Nat) : Prop := Nat.le (.succ n) m
instance instLTNat : LT Nat := ⟨Nat.lt⟩
class BEq (α : Type u) where beq : α → α → Bool
instance {α : Type u} [DecidableEq α] : BEq α := ⟨fun a b => decide (Eq a b)⟩

theorem Nat.zero_le : (n : Nat) → Nat.le .zero n
  | .zero => .refl
  | .succ n => .step (zero_le n)
theorem Nat.succ_le_succ {n m : Nat} (h : Nat.le n m) : Nat.le (.succ n) (.succ m) :=
  Nat.le.rec (motive := fun m _ => Nat.le (.succ n) (.succ m)) .refl (fun _ ih => .step ih) h
theorem Nat.le_trans {n m k : Nat} (h : Nat.le n m) (h' : Nat.le m k) : Nat.le n k :=
  Nat.le.rec (motive := fun k _ => Nat.le n k) h (fun _ ih => .step ih) h'
theorem Nat.pred_le : (n : Nat) → Nat.le (pred n) n
  | .zero => .refl
  | .succ _ => .step .refl
theorem Nat.pred_le_pred {n m : Nat} (h : Nat.le n m) : Nat.le (pred n) (pred m) :=
  Nat.le.rec (motive := fun m _ => Nat.le (pred n) (pred m)) .refl (fun h _ => le_trans (pred_le n) h) h
theorem Nat.le_of_ble_eq_true : {n m : Nat} → Eq (ble n m) true → Nat.le n m
  | .zero, m, _ => zero_le m
  | .succ _, .zero, h => nomatch h
  | .succ n, .succ m, h => succ_le_succ (le_of_ble_eq_true (n := n) (m := m) h)
theorem Nat.ble_self : (n : Nat) → Eq (ble n n) true
  | .zero => rfl
  | .succ n => ble_self n
theorem Nat.ble_step : (n m : Nat) → Eq (ble n m) true → Eq (ble n (.succ m)) true
  | .zero, _, _ => rfl
  | .succ _, .zero, h => nomatch h
  | .succ n, .succ m, h => ble_step n m h
theorem Nat.ble_eq_true_of_le {n m : Nat} (h : Nat.le n m) : Eq (ble n m) true :=
  Nat.le.rec (motive := fun m _ => Eq (ble n m) true) (ble_self n) (fun _ ih => ble_step _ _ ih) h
theorem Nat.not_succ_le_zero (n : Nat) (h : Nat.le (.succ n) .zero) : False := nomatch ble_eq_true_of_le h
@[extern "lean_nat_dec_le"] instance Nat.decLe (n m : Nat) : Decidable (LE.le n m) :=
  match h : ble n m with
  | true => .isTrue (le_of_ble_eq_true h)
  | false => .isFalse (fun k => nomatch (Eq.trans (Eq.symm h) (ble_eq_true_of_le k)))
@[extern "lean_nat_dec_lt"] instance Nat.decLt (n m : Nat) : Decidable (LT.lt n m) := Nat.decLe (.succ n) m

-- containers
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
inductive Option (α : Type u) where
  | none : Option α
  | some (val : α) : Option α
export Option (none some)
inductive Sum (α : Type u) (β : Type v) where
  | inl (val : α) : Sum α β
  | inr (val : β) : Sum α β
structure Subtype {α : Sort u} (p : α → Prop) where
  val : α
  property : p val
structure Sigma {α : Type u} (β : α → Type v) where
  fst : α
  snd : β fst
structure PSigma {α : Sort u} (β : α → Sort v) where
  fst : α
  snd : β fst
structure Fin (n : Nat) where
  mk ::
  val : Nat
  isLt : LT.lt val n
def List.append {α : Type u} : List α → List α → List α
  | .nil, ys => ys
  | .cons x xs, ys => .cons x (append xs ys)
instance {α : Type u} : Append (List α) := ⟨List.append⟩
def List.length {α : Type u} : List α → Nat
  | .nil => .zero
  | .cons _ xs => .succ (length xs)
def List.map {α : Type u} {β : Type v} (f : α → β) : List α → List β
  | .nil => .nil
  | .cons x xs => .cons (f x) (map f xs)

-- coercions: none is declared here, but the elaborator looks for them
class CoeT (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeFun (α : Sort u) (γ : outParam (α → Sort v)) where
  coe : (f : α) → γ f
class CoeSort (α : Sort u) (β : outParam (Sort v)) where
  coe : α → β
class Membership (α : outParam (Type u)) (γ : Type v) where
  mem : γ → α → Prop
class Dvd (α : Type u) where
  dvd : α → α → Prop
/-- `∀ x ∈ xs, p x` -/
@[reducible] def Member.All {α : Type u} {γ : Type v} [Membership α γ] (xs : γ) (p : α → Prop) : Prop :=
  (x : α) → Membership.mem xs x → p x
inductive List.Mem {α : Type u} (a : α) : List α → Prop where
  | head (xs : List α) : Mem a (.cons a xs)
  | tail (b : α) {xs : List α} : Mem a xs → Mem a (.cons b xs)
instance {α : Type u} : Membership α (List α) := ⟨fun xs a => List.Mem a xs⟩
instance : Dvd Nat := ⟨fun a b => Exists (fun c => Eq b (HMul.hMul a c))⟩
@[reducible] def eagerReduce {α : Sort u} (a : α) : α := a

-- logical axioms (the three standard ones)
axiom propext {a b : Prop} : Iff a b → Eq a b
init_quot
axiom Quot.sound {α : Sort u} {r : α → α → Prop} {a b : α} : r a b → Eq (Quot.mk r a) (Quot.mk r b)
axiom Classical.choice {α : Sort u} : Nonempty α → α
theorem funext {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : (x : α) → Eq (f x) (g x)) : Eq f g :=
  let R := fun (f g : (x : α) → β x) => (x : α) → Eq (f x) (g x)
  let app := fun (q : Quot R) (x : α) => Quot.lift (fun f : (x : α) → β x => f x) (fun _ _ e => e x) q
  congrArg app (Quot.sound (r := R) h)
attribute [match_pattern] Nat.add Add.add HAdd.hAdd

-- used by `simp`, `rw`, `cases`, `injection`
theorem of_eq_true {p : Prop} (h : Eq p True) : p := Eq.mpr h trivial
theorem eq_true {p : Prop} (h : p) : Eq p True := propext ⟨fun _ => trivial, fun _ => h⟩
theorem of_eq_false {p : Prop} (h : Eq p False) : Not p := fun x => Eq.mp h x
theorem eq_false {p : Prop} (h : Not p) : Eq p False := propext ⟨h, False.elim⟩
theorem eq_false' {p : Prop} (h : p → False) : Eq p False := eq_false h
theorem eq_self {α : Sort u} (a : α) : Eq (Eq a a) True := eq_true rfl
theorem implies_congr {p₁ p₂ : Sort u} {q₁ q₂ : Sort v} (h : Eq p₁ p₂) (k : Eq q₁ q₂) : Eq (p₁ → q₁) (p₂ → q₂) := h ▸ k ▸ rfl
theorem forall_congr {α : Sort u} {p q : α → Prop} (h : (a : α) → Eq (p a) (q a)) : Eq ((a : α) → p a) ((a : α) → q a) := (funext h : Eq p q) ▸ rfl
theorem Iff.refl (a : Prop) : Iff a a := ⟨id, id⟩
theorem Iff.rfl {a : Prop} : Iff a a := ⟨id, id⟩
theorem Iff.symm {a b : Prop} (h : Iff a b) : Iff b a := ⟨h.mpr, h.mp⟩
theorem iff_of_eq {a b : Prop} (h : Eq a b) : Iff a b := h ▸ Iff.rfl
theorem ne_of_apply {α : Sort u} {β : Sort v} (f : α → β) {x y : α} (h : Ne (f x) (f y)) : Ne x y := fun e => h (congrArg f e)
theorem Nat.succ.inj' {n m : Nat} (h : Eq (Nat.succ n) (Nat.succ m)) : Eq n m := congrArg Nat.pred h
attribute [refl] Iff.refl

class Trans.{a, b, c, d, e, f} {α : Sort d} {β : Sort e} {γ : Sort f} (r : α → β → Sort a) (s : β → γ → Sort b)
    (t : outParam (α → γ → Sort c)) where
  trans : {x : α} → {y : β} → {z : γ} → r x y → s y z → t x z
instance {α : Sort u} : Trans (α := α) Eq Eq Eq := ⟨Eq.trans⟩
instance {α : Sort u} {γ : Sort v} (r : α → γ → Prop) : Trans Eq r r := ⟨fun e h => e ▸ h⟩
instance {α : Sort u} {β : Sort v} (r : α → β → Prop) : Trans r Eq r := ⟨fun h e => e ▸ h⟩
theorem Iff.trans {a b c : Prop} (h : Iff a b) (k : Iff b c) : Iff a c := ⟨fun x => k.mp (h.mp x), fun x => h.mpr (k.mpr x)⟩
instance : Trans Iff Iff Iff := ⟨Iff.trans⟩
instance : Trans Nat.le Nat.le Nat.le := ⟨Nat.le_trans⟩
