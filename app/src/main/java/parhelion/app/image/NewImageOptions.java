package parhelion.app.image;

import picocli.CommandLine.Option;

/** Options of the commands that make an image. */
final class NewImageOptions {
  @Option(
      names = "--cluster-size",
      paramLabel = "SIZE",
      converter = Sizes.ClusterSize.class,
      defaultValue = "64K",
      description = "The unit in which a qcow2 image grows (default: ${DEFAULT-VALUE}).")
  int clusterBytes;

  @Option(names = "--force", description = "Overwrite the new image's file if it exists.")
  boolean force;
}
