/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Nat
/-! Mini core library, part 8: lists and options. -/
set_option linter.all false
universe u v w
namespace List
variable {α : Type u} {β : Type v} {γ : Type w}
def foldr (f : α → β → β) (b : β) : List α → β
  | .nil => b
  | .cons x xs => f x (foldr f b xs)
def reverse : List α → List α
  | .nil => .nil
  | .cons x xs => reverse xs ++ [x]
def filter (p : α → Bool) : List α → List α
  | .nil => .nil
  | .cons x xs => cond (p x) (.cons x (filter p xs)) (filter p xs)
def sum : List Nat → Nat
  | .nil => 0
  | .cons x xs => x + sum xs
def replicate (x : α) : Nat → List α
  | 0 => .nil
  | n + 1 => .cons x (replicate x n)
def head? : List α → Option α
  | .nil => none
  | .cons x _ => some x
theorem append_assoc (xs ys zs : List α) : xs ++ ys ++ zs = xs ++ (ys ++ zs) := by
  induction xs with
  | nil => rfl
  | cons x xs ih => exact congrArg (cons x) ih
theorem length_nil : ([] : List α).length = 0 := rfl
theorem length_cons (x : α) (xs : List α) : (x :: xs).length = xs.length + 1 := rfl
theorem length_append (xs ys : List α) : (xs ++ ys).length = xs.length + ys.length := by
  induction xs with
  | nil => exact (Nat.zero_add _).symm
  | cons x xs ih => rw [cons_append, length_cons, length_cons, ih, Nat.add_right_comm]
theorem map_nil (f : α → β) : map f [] = [] := rfl
theorem map_cons (f : α → β) (x : α) (xs : List α) : map f (x :: xs) = f x :: map f xs := rfl
theorem map_append (f : α → β) (xs ys : List α) : map f (xs ++ ys) = map f xs ++ map f ys := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [cons_append, map_cons, map_cons, cons_append, ih]
theorem length_map (f : α → β) (xs : List α) : (map f xs).length = xs.length := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [map_cons, length_cons, length_cons, ih]
theorem map_map (g : β → γ) (f : α → β) (xs : List α) : map g (map f xs) = map (Function.comp g f) xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [map_cons, map_cons, map_cons, ih]; rfl
theorem map_id (xs : List α) : map id xs = xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [map_cons, ih]; rfl
theorem reverse_nil : reverse ([] : List α) = [] := rfl
theorem reverse_cons (x : α) (xs : List α) : reverse (x :: xs) = reverse xs ++ [x] := rfl
theorem reverse_append (xs ys : List α) : reverse (xs ++ ys) = reverse ys ++ reverse xs := by
  induction xs with
  | nil => rw [reverse_nil, append_nil]; rfl
  | cons x xs ih => rw [cons_append, reverse_cons, reverse_cons, ih, append_assoc]
theorem reverse_reverse (xs : List α) : reverse (reverse xs) = xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [reverse_cons, reverse_append, ih]; rfl
theorem length_reverse (xs : List α) : (reverse xs).length = xs.length := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [reverse_cons, length_append, length_cons, ih]; rfl
theorem map_reverse (f : α → β) (xs : List α) : map f (reverse xs) = reverse (map f xs) := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [reverse_cons, map_append, map_cons f x xs, reverse_cons, ih]; rfl
theorem length_replicate (x : α) (n : Nat) : (replicate x n).length = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
theorem sum_append (xs ys : List Nat) : sum (xs ++ ys) = sum xs + sum ys := by
  induction xs with
  | nil => exact (Nat.zero_add _).symm
  | cons x xs ih => show x + sum (xs ++ ys) = x + sum xs + sum ys; rw [ih, Nat.add_assoc]
theorem cons_ne_nil (x : α) (xs : List α) : x :: xs ≠ [] := nofun
theorem cons_inj {x y : α} {xs ys : List α} : x :: xs = y :: ys ↔ x = y ∧ xs = ys :=
  ⟨fun h => by cases h; exact ⟨rfl, rfl⟩, fun ⟨a, b⟩ => a ▸ b ▸ rfl⟩
theorem not_mem_nil (x : α) : ¬ x ∈ [] := nofun
theorem mem_cons {x y : α} {ys : List α} : x ∈ y :: ys ↔ x = y ∨ x ∈ ys :=
  ⟨fun h => match h with
    | .head _ => .inl rfl
    | .tail _ k => .inr k,
   fun h => h.elim (fun e => e ▸ .head ys) (fun k => .tail y k)⟩
theorem mem_append {x : α} {xs ys : List α} : x ∈ xs ++ ys ↔ x ∈ xs ∨ x ∈ ys := by
  induction xs with
  | nil => exact ⟨.inr, fun h => h.elim (fun k => absurd k (not_mem_nil x)) id⟩
  | cons y xs ih => rw [cons_append, mem_cons, mem_cons, ih, or_assoc]
theorem mem_map {f : α → β} {y : β} {xs : List α} : y ∈ map f xs ↔ ∃ x, x ∈ xs ∧ f x = y := by
  induction xs with
  | nil => exact ⟨fun h => absurd h (not_mem_nil y), fun ⟨x, h, _⟩ => absurd h (not_mem_nil x)⟩
  | cons z xs ih =>
    rw [map_cons, mem_cons, ih]
    exact ⟨fun h => h.elim (fun e => ⟨z, .head xs, e.symm⟩) (fun ⟨x, k, e⟩ => ⟨x, .tail z k, e⟩),
      fun ⟨x, k, e⟩ => (mem_cons.mp k).elim (fun s => .inl (s ▸ e.symm)) (fun m => .inr ⟨x, m, e⟩)⟩
theorem mem_of_mem_tail {x y : α} {ys : List α} (h : x ∈ ys) : x ∈ y :: ys := .tail y h
def decMem [DecidableEq α] (x : α) : (xs : List α) → Decidable (x ∈ xs)
  | .nil => .isFalse (not_mem_nil x)
  | .cons y ys =>
    match (inferInstance : Decidable (x = y)), decMem x ys with
    | .isTrue e, _ => .isTrue (e ▸ .head ys)
    | _, .isTrue m => .isTrue (.tail y m)
    | .isFalse a, .isFalse b => .isFalse fun h => (mem_cons.mp h).elim a b
instance [DecidableEq α] (x : α) (xs : List α) : Decidable (x ∈ xs) := decMem x xs
def decEq [DecidableEq α] : (xs ys : List α) → Decidable (xs = ys)
  | .nil, .nil => .isTrue rfl
  | .nil, .cons _ _ => .isFalse nofun
  | .cons _ _, .nil => .isFalse nofun
  | .cons x xs, .cons y ys =>
    match (inferInstance : Decidable (x = y)), decEq xs ys with
    | .isTrue a, .isTrue b => .isTrue (a ▸ b ▸ rfl)
    | .isFalse a, _ => .isFalse fun h => a (cons_inj.mp h).1
    | _, .isFalse b => .isFalse fun h => b (cons_inj.mp h).2
instance [DecidableEq α] : DecidableEq (List α) := decEq
def decAll (p : α → Prop) [DecidablePred p] : (xs : List α) → Decidable (∀ x ∈ xs, p x)
  | .nil => .isTrue fun x h => absurd h (not_mem_nil x)
  | .cons y ys =>
    match (inferInstance : Decidable (p y)), decAll p ys with
    | .isTrue a, .isTrue b => .isTrue fun x h => (mem_cons.mp h).elim (fun e => e ▸ a) (b x)
    | .isFalse a, _ => .isFalse fun h => a (h y (.head ys))
    | _, .isFalse b => .isFalse fun h => b fun x k => h x (.tail y k)
instance (p : α → Prop) [DecidablePred p] (xs : List α) : Decidable (∀ x ∈ xs, p x) := decAll p xs
attribute [simp] length_nil length_cons length_append map_nil map_cons map_append length_map reverse_nil reverse_cons
  reverse_append reverse_reverse length_reverse length_replicate not_mem_nil mem_cons mem_append append_assoc cons_inj
end List
theorem Option.some_inj {α : Type u} {a b : α} : some a = some b ↔ a = b := ⟨fun h => by cases h; rfl, congrArg some⟩
theorem Option.some_ne_none {α : Type u} (a : α) : some a ≠ none := nofun
instance {α : Type u} [DecidableEq α] : DecidableEq (Option α) := fun a b =>
  match a, b with
  | .none, .none => .isTrue rfl
  | .none, .some _ => .isFalse nofun
  | .some _, .none => .isFalse nofun
  | .some x, .some y =>
    match (inferInstance : Decidable (x = y)) with
    | .isTrue h => .isTrue (h ▸ rfl)
    | .isFalse h => .isFalse fun k => h (Option.some_inj.mp k)
instance {α : Type u} {β : Type v} [DecidableEq α] [DecidableEq β] : DecidableEq (α × β) := fun (a, b) (c, d) =>
  match (inferInstance : Decidable (a = c)), (inferInstance : Decidable (b = d)) with
  | .isTrue h, .isTrue k => .isTrue (h ▸ k ▸ rfl)
  | .isFalse h, _ => .isFalse fun e => h (congrArg Prod.fst e)
  | _, .isFalse k => .isFalse fun e => k (congrArg Prod.snd e)
theorem Bool.not_eq_true (b : Bool) : (¬ b = true) = (b = false) := by
  cases b
  · exact propext ⟨fun _ => rfl, nofun⟩
  · exact propext ⟨fun h => absurd rfl h, nofun⟩
