/-
Part of azr-engine's own mini core, written for it from the names that Lean's elaborator and kernel look up and from
Lean's error messages. Where a declaration must have the very shape that Lean's compiled code expects (Name, Syntax,
SourceInfo, ParserDescr, EStateM.Result; the grammar of tactics), it follows Lean 4, copyright Microsoft Corporation and
Lean FRO, Apache License 2.0.
-/
prelude
import Init.Logic
/-! Mini core library, part 7: arithmetic and order of natural numbers. -/
set_option linter.all false
namespace Nat
theorem add_left_comm (a b c : Nat) : a + (b + c) = b + (a + c) := by rw [← Nat.add_assoc, Nat.add_comm a b, Nat.add_assoc]
theorem add_right_comm (a b c : Nat) : a + b + c = a + c + b := by rw [Nat.add_assoc, Nat.add_comm b c, ← Nat.add_assoc]
theorem add_one (n : Nat) : n + 1 = succ n := rfl
theorem one_add (n : Nat) : 1 + n = succ n := Nat.add_comm 1 n
theorem succ_eq_add_one (n : Nat) : succ n = n + 1 := rfl
theorem add_left_cancel {a b c : Nat} (h : a + b = a + c) : b = c := by
  induction a with
  | zero => rw [Nat.zero_add, Nat.zero_add] at h; exact h
  | succ a ih => rw [Nat.succ_add, Nat.succ_add] at h; exact ih (succ.inj' h)
theorem add_right_cancel {a b c : Nat} (h : a + b = c + b) : a = c := by
  rw [Nat.add_comm a b, Nat.add_comm c b] at h; exact add_left_cancel h
theorem eq_zero_of_add_eq_zero {a b : Nat} (h : a + b = 0) : a = 0 ∧ b = 0 := by
  cases b with
  | zero => exact ⟨h, rfl⟩
  | succ b => cases h
theorem one_mul (n : Nat) : 1 * n = n := by
  induction n with
  | zero => rfl
  | succ n ih => rw [Nat.mul_succ, ih]
theorem succ_mul (n m : Nat) : succ n * m = n * m + m := by
  induction m with
  | zero => rfl
  | succ m ih => rw [Nat.mul_succ, Nat.mul_succ, ih, Nat.add_succ, Nat.add_succ, Nat.add_right_comm]
theorem mul_comm (n m : Nat) : n * m = m * n := by
  induction m with
  | zero => rw [Nat.zero_mul]; rfl
  | succ m ih => rw [Nat.mul_succ, Nat.succ_mul, ih]
theorem mul_add (a b c : Nat) : a * (b + c) = a * b + a * c := by
  induction c with
  | zero => rfl
  | succ c ih => rw [Nat.add_succ, Nat.mul_succ, Nat.mul_succ, ih, Nat.add_assoc]
theorem add_mul (a b c : Nat) : (a + b) * c = a * c + b * c := by rw [Nat.mul_comm, Nat.mul_add, Nat.mul_comm c a, Nat.mul_comm c b]
theorem left_distrib (a b c : Nat) : a * (b + c) = a * b + a * c := Nat.mul_add a b c
theorem right_distrib (a b c : Nat) : (a + b) * c = a * c + b * c := Nat.add_mul a b c
theorem mul_assoc (a b c : Nat) : a * b * c = a * (b * c) := by
  induction c with
  | zero => rfl
  | succ c ih => rw [Nat.mul_succ, Nat.mul_succ, Nat.mul_add, ih]
theorem mul_left_comm (a b c : Nat) : a * (b * c) = b * (a * c) := by rw [← Nat.mul_assoc, Nat.mul_comm a b, Nat.mul_assoc]
theorem two_mul (n : Nat) : 2 * n = n + n := by rw [Nat.succ_mul, Nat.one_mul]
theorem mul_two (n : Nat) : n * 2 = n + n := by rw [Nat.mul_succ, Nat.mul_one]
theorem pow_zero (n : Nat) : n ^ 0 = 1 := rfl
theorem pow_succ (n m : Nat) : n ^ (m + 1) = n ^ m * n := rfl
theorem pow_two (n : Nat) : n ^ 2 = n * n := by
  show 1 * n * n = n * n
  rw [Nat.one_mul]
attribute [simp] one_mul pow_zero

theorem succ_ne_zero (n : Nat) : succ n ≠ 0 := nofun
theorem zero_ne_one : (0 : Nat) ≠ 1 := nofun
theorem one_ne_zero : (1 : Nat) ≠ 0 := nofun
theorem succ_inj {a b : Nat} : succ a = succ b ↔ a = b := ⟨succ.inj', congrArg succ⟩
theorem sub_zero (n : Nat) : n - 0 = n := rfl
theorem succ_sub_succ (n m : Nat) : succ n - succ m = n - m := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg pred ih
theorem sub_self (n : Nat) : n - n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => rw [succ_sub_succ, ih]
theorem zero_sub (n : Nat) : 0 - n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg pred ih
theorem add_sub_cancel (n m : Nat) : n + m - m = n := by
  induction m with
  | zero => rfl
  | succ m ih => rw [Nat.add_succ, succ_sub_succ, ih]
theorem add_sub_cancel_left (n m : Nat) : n + m - n = m := by rw [Nat.add_comm, add_sub_cancel]
attribute [simp] sub_zero sub_self zero_sub add_sub_cancel add_sub_cancel_left succ_ne_zero

theorem le_refl (n : Nat) : n ≤ n := Nat.le.refl
theorem le_rfl {n : Nat} : n ≤ n := Nat.le.refl
theorem le_of_eq {n m : Nat} (h : n = m) : n ≤ m := h ▸ Nat.le.refl
theorem le_succ (n : Nat) : n ≤ succ n := .step .refl
theorem le_succ_of_le {n m : Nat} (h : n ≤ m) : n ≤ succ m := .step h
theorem le_of_succ_le {n m : Nat} (h : succ n ≤ m) : n ≤ m := Nat.le_trans (le_succ n) h
theorem le_of_lt {n m : Nat} (h : n < m) : n ≤ m := le_of_succ_le h
theorem le_of_succ_le_succ {n m : Nat} (h : succ n ≤ succ m) : n ≤ m := pred_le_pred h
theorem succ_le_of_lt {n m : Nat} (h : n < m) : succ n ≤ m := h
theorem lt_of_succ_le {n m : Nat} (h : succ n ≤ m) : n < m := h
theorem lt_succ_of_le {n m : Nat} (h : n ≤ m) : n < succ m := succ_le_succ h
theorem le_of_lt_succ {n m : Nat} (h : n < succ m) : n ≤ m := le_of_succ_le_succ h
theorem lt_succ_self (n : Nat) : n < succ n := le_refl _
theorem zero_lt_succ (n : Nat) : 0 < succ n := succ_le_succ (zero_le n)
theorem succ_pos (n : Nat) : 0 < succ n := zero_lt_succ n
theorem not_lt_zero (n : Nat) : ¬ n < 0 := not_succ_le_zero n
theorem lt_irrefl (n : Nat) : ¬ n < n := by
  induction n with
  | zero => exact not_lt_zero 0
  | succ n ih => exact fun h => ih (le_of_succ_le_succ h)
theorem lt_of_lt_of_le {a b c : Nat} (h : a < b) (k : b ≤ c) : a < c := Nat.le_trans h k
theorem lt_of_le_of_lt {a b c : Nat} (h : a ≤ b) (k : b < c) : a < c := Nat.le_trans (succ_le_succ h) k
theorem lt_trans {a b c : Nat} (h : a < b) (k : b < c) : a < c := lt_of_lt_of_le h (le_of_lt k)
theorem ne_of_lt {a b : Nat} (h : a < b) : a ≠ b := fun e => lt_irrefl b (e ▸ h)
theorem ne_of_gt {a b : Nat} (h : b < a) : a ≠ b := fun e => lt_irrefl b (e ▸ h)
theorem lt_asymm {a b : Nat} (h : a < b) : ¬ b < a := fun k => lt_irrefl a (lt_trans h k)
theorem le_antisymm {n m : Nat} (h : n ≤ m) (k : m ≤ n) : n = m := by
  cases h with
  | refl => rfl
  | step h => exact absurd (Nat.le_trans (succ_le_succ h) k) (lt_irrefl _)
theorem eq_zero_or_pos (n : Nat) : n = 0 ∨ 0 < n := by
  cases n with
  | zero => exact .inl rfl
  | succ n => exact .inr (zero_lt_succ n)
theorem pos_of_ne_zero {n : Nat} (h : n ≠ 0) : 0 < n := (eq_zero_or_pos n).resolve_left h
theorem lt_or_ge (n m : Nat) : n < m ∨ m ≤ n := by
  induction m with
  | zero => exact .inr (zero_le n)
  | succ m ih =>
    cases ih with
    | inl h => exact .inl (.step h)
    | inr h => cases h with
      | refl => exact .inl (le_refl _)
      | step h => exact .inr (succ_le_succ h)
theorem le_total (n m : Nat) : n ≤ m ∨ m ≤ n := (lt_or_ge n m).elim (fun h => .inl (le_of_lt h)) .inr
theorem not_le {n m : Nat} : ¬ n ≤ m ↔ m < n := ⟨fun h => (lt_or_ge m n).resolve_right h, fun h k => lt_irrefl m (lt_of_lt_of_le h k)⟩
theorem not_lt {n m : Nat} : ¬ n < m ↔ m ≤ n := ⟨fun h => (lt_or_ge n m).resolve_left h, fun h k => lt_irrefl n (lt_of_lt_of_le k h)⟩
theorem lt_iff_le_and_ne {n m : Nat} : n < m ↔ n ≤ m ∧ n ≠ m :=
  ⟨fun h => ⟨le_of_lt h, ne_of_lt h⟩, fun ⟨h, k⟩ => (lt_or_ge n m).elim id (fun l => absurd (le_antisymm h l) k)⟩
theorem le_add_right (n k : Nat) : n ≤ n + k := by
  induction k with
  | zero => exact le_refl n
  | succ k ih => exact .step ih
theorem le_add_left (n k : Nat) : n ≤ k + n := Nat.add_comm n k ▸ le_add_right n k
theorem add_le_add_right {n m : Nat} (h : n ≤ m) (k : Nat) : n + k ≤ m + k := by
  induction k with
  | zero => exact h
  | succ k ih => exact succ_le_succ ih
theorem add_le_add_left {n m : Nat} (h : n ≤ m) (k : Nat) : k + n ≤ k + m := by
  rw [Nat.add_comm k n, Nat.add_comm k m]; exact add_le_add_right h k
theorem add_le_add {a b c d : Nat} (h : a ≤ b) (k : c ≤ d) : a + c ≤ b + d := Nat.le_trans (add_le_add_right h c) (add_le_add_left k b)
theorem le.dest {n m : Nat} (h : n ≤ m) : ∃ k, n + k = m := by
  induction h with
  | refl => exact ⟨0, rfl⟩
  | step _ ih => exact ih.elim fun k e => ⟨k + 1, congrArg succ e⟩
theorem mul_le_mul_left {n m : Nat} (k : Nat) (h : n ≤ m) : k * n ≤ k * m :=
  (le.dest h).elim fun d e => by rw [← e, Nat.mul_add]; exact le_add_right _ _
theorem sub_le (n m : Nat) : n - m ≤ n := by
  induction m with
  | zero => exact le_refl n
  | succ m ih => exact Nat.le_trans (pred_le _) ih
theorem add_sub_of_le {n m : Nat} (h : n ≤ m) : n + (m - n) = m := by
  obtain ⟨k, e⟩ := le.dest h
  rw [← e, add_sub_cancel_left]
theorem sub_add_cancel {n m : Nat} (h : m ≤ n) : n - m + m = n := by rw [Nat.add_comm, add_sub_of_le h]
attribute [simp] le_refl zero_le lt_irrefl not_lt_zero le_add_right le_add_left
theorem dvd_mul_right (a b : Nat) : a ∣ a * b := ⟨b, rfl⟩
theorem dvd_refl (a : Nat) : a ∣ a := ⟨1, (Nat.mul_one a).symm⟩
theorem dvd_trans {a b c : Nat} (h : a ∣ b) (k : b ∣ c) : a ∣ c := by
  obtain ⟨x, hx⟩ := h
  obtain ⟨y, hy⟩ := k
  exact ⟨x * y, by rw [hy, hx, Nat.mul_assoc]⟩
theorem dvd_add {a b c : Nat} (h : a ∣ b) (k : a ∣ c) : a ∣ b + c := by
  obtain ⟨x, hx⟩ := h
  obtain ⟨y, hy⟩ := k
  exact ⟨x + y, by rw [hx, hy, Nat.mul_add]⟩

-- division: `divFuel f n d` subtracts at most `f` times
theorem mul_divFuel_le (d : Nat) : ∀ f n : Nat, d * divFuel f n d ≤ n := by
  intro f
  induction f with
  | zero => exact fun n => zero_le n
  | succ f ih =>
    intro n
    show d * ite (d = 0) 0 (ite (n < d) 0 (divFuel f (n - d) d + 1)) ≤ n
    by_cases h : d = 0
    · rw [if_pos h]; exact zero_le n
    · rw [if_neg h]
      by_cases k : n < d
      · rw [if_pos k]; exact zero_le n
      · rw [if_neg k, Nat.mul_add, Nat.mul_one]
        have s := add_le_add_right (ih (n - d)) d
        rw [sub_add_cancel (not_lt.mp k)] at s
        exact s
theorem lt_of_divFuel (d : Nat) (p : 0 < d) : ∀ f n : Nat, n < f → n < d * divFuel f n d + d := by
  intro f
  induction f with
  | zero => exact fun n h => absurd h (not_lt_zero n)
  | succ f ih =>
    intro n l
    show n < d * ite (d = 0) 0 (ite (n < d) 0 (divFuel f (n - d) d + 1)) + d
    rw [if_neg (ne_of_gt p)]
    by_cases k : n < d
    · rw [if_pos k, Nat.mul_zero, Nat.zero_add]; exact k
    · rw [if_neg k, Nat.mul_add, Nat.mul_one]
      have m : d ≤ n := not_lt.mp k
      have smaller : n - d < f := by
        have e := sub_add_cancel m
        have q : n - d + 1 ≤ n := by
          have t := add_le_add_left p (n - d)
          rw [e] at t
          exact t
        exact Nat.le_trans q (le_of_lt_succ l)
      have s := add_le_add_right (ih (n - d) smaller) d
      rw [Nat.succ_add, sub_add_cancel m] at s
      exact s
theorem div_add_mod (n d : Nat) : d * (n / d) + n % d = n := add_sub_of_le (mul_divFuel_le d (n + 1) n)
theorem mod_lt (n : Nat) {d : Nat} (p : 0 < d) : n % d < d := by
  have h : n < d * (n / d) + d := lt_of_divFuel d p (n + 1) n (lt_succ_self n)
  have k : d * (n / d) + n % d = n := div_add_mod n d
  by_cases l : n % d < d
  · exact l
  · have m : d * (n / d) + d ≤ d * (n / d) + n % d := add_le_add_left (not_lt.mp l) _
    rw [k] at m
    exact absurd (lt_of_lt_of_le h m) (lt_irrefl n)
theorem dvd_of_mod_eq_zero {d n : Nat} (h : n % d = 0) : d ∣ n := ⟨n / d, by
  have k := div_add_mod n d
  rw [h, Nat.add_zero] at k
  exact k.symm⟩
theorem lt_of_mul_lt {d a b : Nat} (h : d * a < d * b) : a < b := by
  by_cases k : a < b
  · exact k
  · exact absurd (lt_of_lt_of_le h (mul_le_mul_left d (not_lt.mp k))) (lt_irrefl _)
theorem mod_eq_zero_of_dvd {d n : Nat} (h : d ∣ n) : n % d = 0 := by
  obtain ⟨c, e⟩ := h
  have k := div_add_mod n d
  by_cases p : 0 < d
  · have r := mod_lt n p
    have low : n / d ≤ c := by
      by_cases l : n / d ≤ c
      · exact l
      · have big : d * (c + 1) ≤ d * (n / d) := mul_le_mul_left d (not_le.mp l)
        have small : d * (n / d) ≤ n := mul_divFuel_le d (n + 1) n
        have both := Nat.le_trans big small
        rw [e, Nat.mul_add, Nat.mul_one] at both
        have q : d * c < d * c + d := by
          have t := add_le_add_left p (d * c)
          exact t
        exact absurd (lt_of_lt_of_le q both) (lt_irrefl _)
    have high : c ≤ n / d := by
      have t : d * c < d * (n / d + 1) := by
        rw [Nat.mul_add, Nat.mul_one, ← e]
        exact lt_of_divFuel d p (n + 1) n (lt_succ_self n)
      exact le_of_lt_succ (lt_of_mul_lt t)
    have same := le_antisymm low high
    rw [same, ← e] at k
    exact add_left_cancel (k.trans (Nat.add_zero n).symm)
  · have z : d = 0 := (eq_zero_or_pos d).resolve_right p
    rw [e, z, Nat.zero_mul] at *
    rfl
instance (d n : Nat) : Decidable (d ∣ n) :=
  match Nat.decEq (n % d) 0 with
  | .isTrue h => .isTrue (dvd_of_mod_eq_zero h)
  | .isFalse h => .isFalse fun k => h (mod_eq_zero_of_dvd k)
end Nat
