/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Lemmas
/-! Mini core library, part 6: everyday logic, constructive and classical. -/
set_option linter.all false
universe u v

theorem And.symm {a b : Prop} (h : a ∧ b) : b ∧ a := ⟨h.2, h.1⟩
theorem Or.symm {a b : Prop} (h : a ∨ b) : b ∨ a := h.elim .inr .inl
theorem And.imp {a b c d : Prop} (f : a → c) (g : b → d) (h : a ∧ b) : c ∧ d := ⟨f h.1, g h.2⟩
theorem Or.imp {a b c d : Prop} (f : a → c) (g : b → d) (h : a ∨ b) : c ∨ d := h.elim (fun x => .inl (f x)) (fun x => .inr (g x))
theorem Or.resolve_left {a b : Prop} (h : a ∨ b) (k : ¬ a) : b := h.elim (fun x => absurd x k) id
theorem Or.resolve_right {a b : Prop} (h : a ∨ b) (k : ¬ b) : a := h.elim id (fun x => absurd x k)
theorem And.elim {a b c : Prop} (f : a → b → c) (h : a ∧ b) : c := f h.1 h.2
theorem Not.elim {a b : Prop} (h : ¬ a) (x : a) : b := absurd x h
theorem not_not_intro {p : Prop} (h : p) : ¬ ¬ p := fun k => k h
theorem mt {a b : Prop} (h : a → b) (k : ¬ b) : ¬ a := fun x => k (h x)
theorem and_comm {a b : Prop} : a ∧ b ↔ b ∧ a := ⟨And.symm, And.symm⟩
theorem or_comm {a b : Prop} : a ∨ b ↔ b ∨ a := ⟨Or.symm, Or.symm⟩
theorem and_assoc {a b c : Prop} : (a ∧ b) ∧ c ↔ a ∧ (b ∧ c) := ⟨fun h => ⟨h.1.1, h.1.2, h.2⟩, fun h => ⟨⟨h.1, h.2.1⟩, h.2.2⟩⟩
theorem or_assoc {a b c : Prop} : (a ∨ b) ∨ c ↔ a ∨ (b ∨ c) :=
  ⟨fun h => h.elim (fun k => k.elim .inl (fun x => .inr (.inl x))) (fun x => .inr (.inr x)),
   fun h => h.elim (fun x => .inl (.inl x)) (fun k => k.elim (fun x => .inl (.inr x)) .inr)⟩
theorem and_or_left {a b c : Prop} : a ∧ (b ∨ c) ↔ (a ∧ b) ∨ (a ∧ c) :=
  ⟨fun h => h.2.elim (fun x => .inl ⟨h.1, x⟩) (fun x => .inr ⟨h.1, x⟩),
   fun h => h.elim (fun k => ⟨k.1, .inl k.2⟩) (fun k => ⟨k.1, .inr k.2⟩)⟩
theorem or_and_left {a b c : Prop} : a ∨ (b ∧ c) ↔ (a ∨ b) ∧ (a ∨ c) :=
  ⟨fun h => h.elim (fun x => ⟨.inl x, .inl x⟩) (fun k => ⟨.inr k.1, .inr k.2⟩),
   fun h => h.1.elim .inl (fun x => h.2.elim .inl (fun y => .inr ⟨x, y⟩))⟩
theorem and_imp {a b c : Prop} : (a ∧ b → c) ↔ (a → b → c) := ⟨fun h x y => h ⟨x, y⟩, fun h k => h k.1 k.2⟩
theorem or_imp {a b c : Prop} : (a ∨ b → c) ↔ (a → c) ∧ (b → c) :=
  ⟨fun h => ⟨fun x => h (.inl x), fun x => h (.inr x)⟩, fun h k => k.elim h.1 h.2⟩
theorem not_or {p q : Prop} : ¬ (p ∨ q) ↔ ¬ p ∧ ¬ q := or_imp
theorem not_and {a b : Prop} : ¬ (a ∧ b) ↔ (a → ¬ b) := and_imp
theorem not_exists {α : Sort u} {p : α → Prop} : (¬ ∃ x, p x) ↔ ∀ x, ¬ p x := ⟨fun h x k => h ⟨x, k⟩, fun h k => k.elim h⟩
theorem forall_and {α : Sort u} {p q : α → Prop} : (∀ x, p x ∧ q x) ↔ (∀ x, p x) ∧ (∀ x, q x) :=
  ⟨fun h => ⟨fun x => (h x).1, fun x => (h x).2⟩, fun h x => ⟨h.1 x, h.2 x⟩⟩
theorem exists_or {α : Sort u} {p q : α → Prop} : (∃ x, p x ∨ q x) ↔ (∃ x, p x) ∨ (∃ x, q x) :=
  ⟨fun ⟨x, h⟩ => h.elim (fun k => .inl ⟨x, k⟩) (fun k => .inr ⟨x, k⟩),
   fun h => h.elim (fun ⟨x, k⟩ => ⟨x, .inl k⟩) (fun ⟨x, k⟩ => ⟨x, .inr k⟩)⟩
theorem eq_comm {α : Sort u} {a b : α} : a = b ↔ b = a := ⟨Eq.symm, Eq.symm⟩
theorem Iff.not {a b : Prop} (h : a ↔ b) : ¬ a ↔ ¬ b := ⟨fun k x => k (h.mpr x), fun k x => k (h.mp x)⟩
theorem iff_true_intro {a : Prop} (h : a) : a ↔ True := ⟨fun _ => trivial, fun _ => h⟩
theorem Decidable.em (p : Prop) [h : Decidable p] : p ∨ ¬ p :=
  match h with
  | .isTrue x => .inl x
  | .isFalse x => .inr x
theorem Decidable.byContradiction {p : Prop} [h : Decidable p] (k : ¬ p → False) : p :=
  match h with
  | .isTrue x => x
  | .isFalse x => (k x).elim

namespace Classical
theorem byCases {p q : Prop} (h : p → q) (k : ¬ p → q) : q := (em p).elim h k
theorem not_not {a : Prop} : ¬ ¬ a ↔ a := ⟨byContradiction, not_not_intro⟩
theorem not_and_iff_not_or_not {a b : Prop} : ¬ (a ∧ b) ↔ ¬ a ∨ ¬ b :=
  ⟨fun h => (em a).elim (fun x => .inr fun y => h ⟨x, y⟩) .inl, fun h k => h.elim (fun n => n k.1) (fun n => n k.2)⟩
theorem not_forall {α : Sort u} {p : α → Prop} : (¬ ∀ x, p x) ↔ ∃ x, ¬ p x :=
  ⟨fun h => byContradiction fun k => h fun x => byContradiction fun n => k ⟨x, n⟩, fun ⟨x, n⟩ h => n (h x)⟩
theorem imp_iff_not_or {a b : Prop} : (a → b) ↔ ¬ a ∨ b :=
  ⟨fun h => (em a).elim (fun x => .inr (h x)) .inl, fun h x => h.elim (fun n => absurd x n) id⟩
noncomputable def propDecidable (a : Prop) : Decidable a :=
  choice ((em a).elim (fun h => ⟨.isTrue h⟩) (fun h => ⟨.isFalse h⟩))
noncomputable def choose {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : α :=
  (choice (h.elim fun x k => ⟨⟨x, k⟩⟩ : Nonempty (Subtype p))).val
theorem choose_spec {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : p (choose h) :=
  (choice (h.elim fun x k => ⟨⟨x, k⟩⟩ : Nonempty (Subtype p))).property
end Classical
instance {p q : Prop} [a : Decidable p] [b : Decidable q] : Decidable (p ↔ q) :=
  match a, b with
  | .isTrue x, .isTrue y => .isTrue ⟨fun _ => y, fun _ => x⟩
  | .isFalse x, .isFalse y => .isTrue ⟨fun h => absurd h x, fun h => absurd h y⟩
  | .isTrue x, .isFalse y => .isFalse fun h => y (h.mp x)
  | .isFalse x, .isTrue y => .isFalse fun h => x (h.mpr y)
instance {α : Sort u} (a b : α) [h : Decidable (a = b)] : Decidable (a ≠ b) :=
  match h with
  | .isTrue x => .isFalse fun k => k x
  | .isFalse x => .isTrue x
