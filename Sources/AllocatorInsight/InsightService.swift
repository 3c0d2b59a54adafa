// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#if ServiceLifecycle
  public import ServiceLifecycle

  /// ``Insight`` as a service of swift-service-lifecycle: it starts with the group, and ends with it. Takes the package trait
  /// `ServiceLifecycle`.
  ///
  /// With the trait `Metrics` it also records a report every so often.
  public struct InsightService: Service {
    private let folder: String?
    private let policies: [ReleasePolicy]
    private let interval: Duration

    /// - Parameters:
    ///   - folder: where the socket is to be; see ``Insight/start(folder:releasing:)``.
    ///   - policies: when free memory is to be given back.
    ///   - interval: how often gauges are recorded, where the trait `Metrics` is enabled.
    public init(
      folder: String? = nil, releasing policies: [ReleasePolicy] = [], every interval: Duration = .seconds(10)
    ) {
      self.folder = folder
      self.policies = policies
      self.interval = interval
    }

    public func run() async throws {
      Insight.start(folder: folder, releasing: policies)
      // Cancelled at the end, however that comes.
      await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
          #if Metrics
            MemoryReport.current().record()
          #endif
          try? await Task.sleep(for: interval)
        }
      }
      Insight.stop()
    }
  }
#endif
