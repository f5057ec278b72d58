package parhelion.cpu.fpu;

/**
 * A number as the unevaluated sum of two doubles, some 104 bits: enough to give the x87 functions
 * their 64 with a margin. Exponents stay within a few hundred of zero here, so that nothing
 * overflows or underflows.
 */
record DoubleDouble(double hi, double lo) {
  static final DoubleDouble ONE = new DoubleDouble(1, 0);
  static final DoubleDouble LN2 = of(0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL, -1);
  static final DoubleDouble PI = of(0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L, 1);
  static final DoubleDouble HALF_PI = PI.scaled(-1);

  /** sum of any two doubles, exactly. */
  static DoubleDouble sum(double a, double b) {
    double s = a + b;
    double t = s - a;
    return new DoubleDouble(s, (a - (s - t)) + (b - t));
  }

  /** The value high.low * 2**(exp - 63), rounded to the format. */
  static DoubleDouble of(long high, long low, int exp) {
    double a = (double) (high >>> 11) * 0x1p-52;
    double b = (double) (high & 0x7ff) * 0x1p-63;
    double c = (double) (low >>> 11) * 0x1p-116;
    DoubleDouble ab = sum(a, b);
    return sum(ab.hi, ab.lo + c).scaled(exp);
  }

  DoubleDouble scaled(int exp) {
    return new DoubleDouble(Math.scalb(hi, exp), Math.scalb(lo, exp));
  }

  DoubleDouble negated() {
    return new DoubleDouble(-hi, -lo);
  }

  DoubleDouble plus(DoubleDouble b) {
    DoubleDouble s = sum(hi, b.hi);
    DoubleDouble t = sum(lo, b.lo);
    DoubleDouble r = sum(s.hi, s.lo + t.hi);
    return sum(r.hi, r.lo + t.lo);
  }

  DoubleDouble plus(double b) {
    DoubleDouble s = sum(hi, b);
    return sum(s.hi, s.lo + lo);
  }

  DoubleDouble minus(DoubleDouble b) {
    return plus(b.negated());
  }

  DoubleDouble times(DoubleDouble b) {
    double p = hi * b.hi;
    double e = Math.fma(hi, b.hi, -p) + (hi * b.lo + lo * b.hi);
    return sum(p, e);
  }

  DoubleDouble times(double b) {
    double p = hi * b;
    return sum(p, Math.fma(hi, b, -p) + lo * b);
  }

  DoubleDouble over(DoubleDouble b) {
    double q = hi / b.hi;
    DoubleDouble r = minus(b.times(q));
    double q2 = r.hi / b.hi;
    r = r.minus(b.times(q2));
    double q3 = r.hi / b.hi;
    return sum(q, q2).plus(q3);
  }

  DoubleDouble over(double b) {
    return over(new DoubleDouble(b, 0));
  }

  /** e**this - 1, for magnitudes up to 0.7. */
  DoubleDouble expm1() {
    DoubleDouble y = scaled(-4);
    DoubleDouble term = y;
    DoubleDouble result = y;
    for (int n = 2; n <= 17; n++) {
      term = term.times(y).over(n);
      result = result.plus(term);
    }
    for (int i = 0; i < 4; i++) {
      result = result.times(result.plus(2));
    }
    return result;
  }

  /** ln((1 + this) / (1 - this)), for magnitudes up to 0.18. */
  DoubleDouble twiceAtanh() {
    DoubleDouble square = times(this);
    DoubleDouble power = ONE;
    DoubleDouble series = ONE;
    for (int n = 3; n <= 45; n += 2) {
      power = power.times(square);
      series = series.plus(power.over(n));
    }
    return times(series).scaled(1);
  }

  /** ln(1 + this), for -0.3..0.42. */
  DoubleDouble log1p() {
    return over(plus(2)).twiceAtanh();
  }

  /** Sine and cosine, for magnitudes up to 0.8. */
  static DoubleDouble[] sineCosine(DoubleDouble r) {
    DoubleDouble square = r.times(r).negated();
    DoubleDouble sine = r;
    DoubleDouble cosine = ONE;
    DoubleDouble s = r;
    DoubleDouble c = ONE;
    for (int n = 2; n <= 30; n += 2) {
      c = c.times(square).over((double) (n * (n - 1)));
      s = s.times(square).over((double) (n * (n + 1)));
      cosine = cosine.plus(c);
      sine = sine.plus(s);
    }
    return new DoubleDouble[] {sine, cosine};
  }

  /** Sine and cosine of {@code quarters} right angles plus {@code r}. */
  static DoubleDouble[] sineCosine(int quarters, DoubleDouble r) {
    DoubleDouble[] sc = sineCosine(r);
    return switch (quarters & 3) {
      case 0 -> sc;
      case 1 -> new DoubleDouble[] {sc[1], sc[0].negated()};
      case 2 -> new DoubleDouble[] {sc[0].negated(), sc[1].negated()};
      default -> new DoubleDouble[] {sc[1].negated(), sc[0]};
    };
  }

  /** The angle of the point (x, y), y >= 0, between 0 and pi. */
  static DoubleDouble angle(DoubleDouble y, DoubleDouble x) {
    double guess = Math.atan2(y.hi, x.hi);
    int quarters = (int) Math.rint(guess / (Math.PI / 2));
    DoubleDouble rest = HALF_PI.times(-quarters).plus(guess);
    DoubleDouble[] sc = sineCosine(quarters, rest);
    DoubleDouble error =
        y.times(sc[1]).minus(x.times(sc[0])).over(x.times(sc[1]).plus(y.times(sc[0])));
    return error.plus(guess);
  }
}
