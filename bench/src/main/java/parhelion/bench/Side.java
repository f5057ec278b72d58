package parhelion.bench;

/** Who runs the work; the table's columns. */
enum Side {
  PARHELION("Parhelion"),
  QEMU("QEMU TCG"),
  NATIVE("native");

  final String title;

  Side(String title) {
    this.title = title;
  }
}
