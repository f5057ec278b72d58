package parhelion.abi;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says which of Xen's names a roster or a class of constants stands for: {@code HOST_MAP} in a
 * class with the prefix {@code GNTMAP_} is {@code GNTMAP_host_map}. A test holds each against the
 * headers' values.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface XenNames {
  /** The public headers, relative to {@code xen/include/public}. */
  String[] header();

  /** What the names begin with in C; letter case is as in C, while that of the rest is free. */
  String prefix();

  /**
   * Beginnings of names that share the prefix but belong elsewhere. Every other value to which the
   * headers give such a name has a row here, unless the prefix is empty: that is a collection,
   * named in full.
   */
  String[] except() default {};
}
