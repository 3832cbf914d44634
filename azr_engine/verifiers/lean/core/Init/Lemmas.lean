/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Tactics
/-! Mini core library, part 5: lemmas for `simp`/`rw`, and the remaining kernel-accelerated
`Nat` functions (the kernel computes these names with GMP, so they must be defined, correctly,
before any untrusted file can define them). -/
set_option linter.all false
universe u v
theorem ite_eq_left {c : Prop} [h : Decidable c] (hc : c) {α : Sort u} {t e : α} : ite c t e = t :=
  match h with
  | .isTrue _ => rfl
  | .isFalse k => absurd hc k
theorem ite_eq_right {c : Prop} [h : Decidable c] (hc : ¬ c) {α : Sort u} {t e : α} : ite c t e = e :=
  match h with
  | .isTrue k => absurd k hc
  | .isFalse _ => rfl
theorem dite_eq_left {c : Prop} [h : Decidable c] (hc : c) {α : Sort u} {t : c → α} {e : ¬ c → α} : dite c t e = t hc :=
  match h with
  | .isTrue _ => rfl
  | .isFalse k => absurd hc k
theorem dite_eq_right {c : Prop} [h : Decidable c] (hc : ¬ c) {α : Sort u} {t : c → α} {e : ¬ c → α} : dite c t e = e hc :=
  match h with
  | .isTrue k => absurd k hc
  | .isFalse _ => rfl
theorem if_pos {c : Prop} [Decidable c] (hc : c) {α : Sort u} {t e : α} : ite c t e = t := ite_eq_left hc
theorem if_neg {c : Prop} [Decidable c] (hc : ¬ c) {α : Sort u} {t e : α} : ite c t e = e := ite_eq_right hc
theorem dif_pos {c : Prop} [Decidable c] (hc : c) {α : Sort u} {t : c → α} {e : ¬ c → α} : dite c t e = t hc := dite_eq_left hc
theorem dif_neg {c : Prop} [Decidable c] (hc : ¬ c) {α : Sort u} {t : c → α} {e : ¬ c → α} : dite c t e = e hc := dite_eq_right hc
attribute [symm] Eq.symm Iff.symm
theorem Ne.symm {α : Sort u} {a b : α} (h : a ≠ b) : b ≠ a := fun e => h e.symm
attribute [symm] Ne.symm
class Subsingleton (α : Sort u) : Prop where
  intro ::
  allEq : (a b : α) → a = b
protected theorem Subsingleton.elim {α : Sort u} [h : Subsingleton α] : (a b : α) → a = b := h.allEq
protected theorem Subsingleton.helim {α β : Sort u} [Subsingleton α] (e : α = β) (a : α) (b : β) : HEq a b :=
  Eq.rec (motive := fun γ _ => (c : γ) → HEq a c) (fun c => heq_of_eq (Subsingleton.elim a c)) e b
instance (p : Prop) : Subsingleton p := ⟨fun _ _ => rfl⟩
instance instSubsingletonDecidable (p : Prop) : Subsingleton (Decidable p) := ⟨fun a b =>
  match a, b with
  | .isTrue _, .isTrue _ => rfl
  | .isFalse _, .isFalse _ => rfl
  | .isTrue x, .isFalse y => absurd x y
  | .isFalse x, .isTrue y => absurd y x⟩
theorem eq_true_of_decide {p : Prop} [Decidable p] (h : decide p = true) : p = True := eq_true (of_decide_eq_true h)
theorem eq_false_of_decide {p : Prop} [Decidable p] (h : decide p = false) : p = False := eq_false (of_decide_eq_false h)
theorem implies_congr_ctx {p₁ p₂ q₁ q₂ : Prop} (h : p₁ = p₂) (k : p₂ → q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) :=
  propext ⟨fun f x => Eq.mp (k x) (f (Eq.mpr h x)), fun f x => Eq.mpr (k (Eq.mp h x)) (f (Eq.mp h x))⟩
theorem implies_dep_congr_ctx {p₁ p₂ q₁ : Prop} (h : p₁ = p₂) {q₂ : p₂ → Prop} (k : (x : p₂) → q₁ = q₂ x) : (p₁ → q₁) = ((x : p₂) → q₂ x) :=
  propext ⟨fun f x => Eq.mp (k x) (f (Eq.mpr h x)), fun f x => Eq.mpr (k (Eq.mp h x)) (f (Eq.mp h x))⟩
theorem forall_prop_congr_dom {p₁ p₂ : Prop} (h : p₁ = p₂) (q : p₁ → Prop) : ((a : p₁) → q a) = ((a : p₂) → q (Eq.mpr h a)) :=
  propext ⟨fun f a => f (Eq.mpr h a), fun f a => f (Eq.mp h a)⟩
theorem forall_prop_domain_congr {p₁ p₂ : Prop} {q₁ : p₁ → Prop} {q₂ : p₂ → Prop} (h : p₁ = p₂)
    (k : (a : p₂) → q₁ (Eq.mpr h a) = q₂ a) : ((a : p₁) → q₁ a) = ((a : p₂) → q₂ a) :=
  propext ⟨fun f a => Eq.mp (k a) (f (Eq.mpr h a)), fun f a => Eq.mpr (k (Eq.mp h a)) (f (Eq.mp h a))⟩
theorem mpr_prop {p q : Prop} (h : p = q) (x : q) : p := Eq.mpr h x
theorem let_congr {α : Sort u} {β : Sort v} {a a' : α} {b b' : α → β} (h : a = a') (k : (x : α) → b x = b' x) :
    (let x := a; b x) = (let x := a'; b' x) := h ▸ (funext k : b = b') ▸ rfl
theorem ite_congr {b c : Prop} {α : Sort u} {x y u v : α} {s : Decidable b} [Decidable c] (h : b = c) (k : c → x = u) (l : ¬ c → y = v) :
    ite b x y = ite c u v := by
  cases Decidable.rec (motive := fun _ => c ∨ ¬ c) (fun n => .inr n) (fun y => .inl y) (inferInstance : Decidable c) with
  | inl t => rw [ite_eq_left t, ite_eq_left (Eq.mpr h t), k t]
  | inr f => rw [ite_eq_right f, ite_eq_right (fun x => f (Eq.mp h x)), l f]
theorem ite_eq_left_of_eq_true {α : Sort u} {c : Prop} [Decidable c] (a b : α) (h : c = True) : ite c a b = a := ite_eq_left (of_eq_true h)
theorem ite_eq_right_of_eq_false {α : Sort u} {c : Prop} [Decidable c] (a b : α) (h : c = False) : ite c a b = b := ite_eq_right (of_eq_false h)
theorem dite_eq_left_of_eq_true {α : Sort u} {c : Prop} [Decidable c] {t : c → α} {e : ¬ c → α} (h : c = True) : dite c t e = t (of_eq_true h) :=
  dite_eq_left (of_eq_true h)
theorem dite_eq_right_of_eq_false {α : Sort u} {c : Prop} [Decidable c] {t : c → α} {e : ¬ c → α} (h : c = False) : dite c t e = e (of_eq_false h) :=
  dite_eq_right (of_eq_false h)
theorem Nat.add_zero (n : Nat) : n + 0 = n := rfl
theorem Nat.add_succ (n m : Nat) : n + Nat.succ m = Nat.succ (n + m) := rfl
theorem Nat.zero_add (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
theorem Nat.succ_add (n m : Nat) : Nat.succ n + m = Nat.succ (n + m) := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg Nat.succ ih
theorem Nat.add_comm (n m : Nat) : n + m = m + n := by
  induction m with
  | zero => exact (Nat.zero_add n).symm
  | succ m ih => rw [Nat.succ_add, ← ih]; rfl
theorem Nat.add_assoc (a b c : Nat) : a + b + c = a + (b + c) := by
  induction c with
  | zero => rfl
  | succ c ih => exact congrArg Nat.succ ih
theorem Nat.mul_zero (n : Nat) : n * 0 = 0 := rfl
theorem Nat.mul_succ (n m : Nat) : n * Nat.succ m = n * m + n := rfl
theorem Nat.zero_mul (n : Nat) : 0 * n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => exact ih
theorem Nat.mul_one (n : Nat) : n * 1 = n := Nat.zero_add n
attribute [simp] Nat.add_zero Nat.zero_add Nat.mul_zero Nat.zero_mul Nat.mul_one

theorem iff_self (p : Prop) : (p ↔ p) = True := eq_true Iff.rfl
theorem and_true (p : Prop) : (p ∧ True) = p := propext ⟨fun h => h.1, fun h => ⟨h, trivial⟩⟩
theorem true_and (p : Prop) : (True ∧ p) = p := propext ⟨fun h => h.2, fun h => ⟨trivial, h⟩⟩
theorem and_false (p : Prop) : (p ∧ False) = False := eq_false fun h => h.2
theorem false_and (p : Prop) : (False ∧ p) = False := eq_false fun h => h.1
theorem or_true (p : Prop) : (p ∨ True) = True := eq_true (.inr trivial)
theorem true_or (p : Prop) : (True ∨ p) = True := eq_true (.inl trivial)
theorem or_false (p : Prop) : (p ∨ False) = p := propext ⟨fun h => match h with | .inl h => h | .inr h => h.elim, .inl⟩
theorem false_or (p : Prop) : (False ∨ p) = p := propext ⟨fun h => match h with | .inl h => h.elim | .inr h => h, .inr⟩
theorem and_self (p : Prop) : (p ∧ p) = p := propext ⟨fun h => h.1, fun h => ⟨h, h⟩⟩
theorem or_self (p : Prop) : (p ∨ p) = p := propext ⟨fun h => match h with | .inl h => h | .inr h => h, .inl⟩
theorem not_true_eq_false : (¬ True) = False := eq_false fun h => h trivial
theorem not_false_eq_true : (¬ False) = True := eq_true id
theorem implies_true (α : Sort u) : ((_a : α) → True) = True := eq_true fun _ => trivial
theorem true_implies (p : Prop) : (True → p) = p := propext ⟨fun h => h trivial, fun h _ => h⟩
theorem false_implies (p : Prop) : (False → p) = True := eq_true False.elim
theorem imp_self (p : Prop) : (p → p) = True := eq_true id
theorem ne_eq {α : Sort u} (a b : α) : (a ≠ b) = ¬ (a = b) := rfl
attribute [simp] eq_self iff_self and_true true_and and_false false_and or_true true_or or_false false_or
  and_self or_self not_true_eq_false not_false_eq_true implies_true true_implies false_implies imp_self ne_eq
theorem List.nil_append {α : Type u} (xs : List α) : List.nil ++ xs = xs := rfl
theorem List.cons_append {α : Type u} (x : α) (xs ys : List α) : (x :: xs) ++ ys = x :: (xs ++ ys) := rfl
theorem List.append_nil {α : Type u} (xs : List α) : xs ++ List.nil = xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [List.cons_append, ih]
attribute [simp] List.nil_append List.cons_append List.append_nil
theorem Classical.em (p : Prop) : p ∨ ¬ p :=
  -- Diaconescu: choose from two predicates that coincide exactly when `p` holds
  let U (x : Prop) : Prop := x = True ∨ p
  let V (x : Prop) : Prop := x = False ∨ p
  have exU : Nonempty (Subtype U) := ⟨⟨True, .inl rfl⟩⟩
  have exV : Nonempty (Subtype V) := ⟨⟨False, .inl rfl⟩⟩
  have key : ¬ ((Classical.choice exU).val = (Classical.choice exV).val) ∨ p :=
    match (Classical.choice exU).property, (Classical.choice exV).property with
    | .inr h, _ => .inr h
    | _, .inr h => .inr h
    | .inl h, .inl k => .inl (fun e => Eq.mp (h.symm.trans (e.trans k)) trivial)
  match key with
  | .inr h => .inl h
  | .inl ne => .inr (fun h =>
    have e : U = V := funext fun _ => propext ⟨fun _ => .inr h, fun _ => .inr h⟩
    have same : (a : Nonempty (Subtype U)) → (b : Nonempty (Subtype V)) → (Classical.choice a).val = (Classical.choice b).val :=
      e ▸ fun _ _ => rfl
    ne (same exU exV))
theorem Classical.byContradiction {p : Prop} (h : ¬ p → False) : p :=
  match Classical.em p with
  | .inl a => a
  | .inr k => (h k).elim
theorem Or.elim {a b c : Prop} (h : a ∨ b) (l : a → c) (r : b → c) : c :=
  match h with
  | .inl x => l x
  | .inr x => r x
theorem Exists.elim {α : Sort u} {p : α → Prop} {b : Prop} (h : Exists p) (k : (a : α) → p a → b) : b :=
  match h with
  | .intro w h => k w h

-- the other functions that the kernel evaluates by name
def Nat.divFuel : Nat → Nat → Nat → Nat
  | 0, _, _ => 0
  | f + 1, n, d => ite (d = 0) 0 (ite (n < d) 0 (Nat.divFuel f (n - d) d + 1))
@[extern "lean_nat_div"] def Nat.div (n d : Nat) : Nat := divFuel (n + 1) n d
@[extern "lean_nat_mod"] def Nat.mod (n d : Nat) : Nat := n - d * Nat.div n d
instance : Div Nat := ⟨Nat.div⟩
instance : Mod Nat := ⟨Nat.mod⟩
def Nat.gcdFuel : Nat → Nat → Nat → Nat
  | 0, _, n => n
  | f + 1, m, n => ite (m = 0) n (Nat.gcdFuel f (Nat.mod n m) m)
@[extern "lean_nat_gcd"] def Nat.gcd (m n : Nat) : Nat := gcdFuel (m + 1) m n
def Nat.log2Fuel : Nat → Nat → Nat
  | 0, _ => 0
  | f + 1, n => ite (n < 2) 0 (Nat.log2Fuel f (Nat.div n 2) + 1)
@[extern "lean_nat_log2"] def Nat.log2 (n : Nat) : Nat := log2Fuel n n
def Nat.bitFuel (g : Bool → Bool → Bool) : Nat → Nat → Nat → Nat
  | 0, _, _ => 0
  | f + 1, n, m =>
    ite (n = 0) (cond (g false true) m 0) (ite (m = 0) (cond (g true false) n 0)
      (Nat.bitFuel g f (Nat.div n 2) (Nat.div m 2) * 2 + cond (g (Nat.beq (Nat.mod n 2) 1) (Nat.beq (Nat.mod m 2) 1)) 1 0))
@[extern "lean_nat_land"] def Nat.land (n m : Nat) : Nat := bitFuel (fun a b => cond a b false) (n + 1) n m
@[extern "lean_nat_lor"] def Nat.lor (n m : Nat) : Nat := bitFuel (fun a b => cond a true b) (n + 1) n m
@[extern "lean_nat_lxor"] def Nat.xor (n m : Nat) : Nat := bitFuel (fun a b => cond a (cond b false true) b) (n + 1) n m
@[extern "lean_nat_shiftl"] def Nat.shiftLeft (n m : Nat) : Nat := n * Nat.pow 2 m
@[extern "lean_nat_shiftr"] def Nat.shiftRight (n m : Nat) : Nat := Nat.div n (Nat.pow 2 m)
def Char.ofNat (n : Nat) : Char := ⟨n⟩
def String.ofList (l : List Char) : String := ⟨l⟩
