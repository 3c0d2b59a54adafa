// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc

/// Makes a profile of what the hooks have counted.
struct ProfileReader {
  let state: insight_profile_state
  private var symbols = ProcessSymbols()
  private var types = SwiftTypes()

  init(state: insight_profile_state) { self.state = state }

  mutating func profile() -> HeapProfile {
    var profile = HeapProfile()
    var live = readLive()
    profile.sites = (0..<state.site_count).map { index in
      var site = insight_site()
      insight_profile_read_site(index, &site)
      return makeSite(site, live.removeValue(forKey: index) ?? [])
    }
    // What was found to be alive at a site that is newer than the state.
    profile.sites.removeAll { $0.frames.isEmpty && $0.allocated == HeapProfile.Amount() }
    profile.interval = Int(state.interval)
    profile.samples = Int(state.samples)
    profile.lostSamples = Int(state.lost_samples)
    profile.images = symbols.images
    profile.notes = notes
    profile.sort()
    return profile
  }

  private var notes: [String] {
    var notes: [String] = []
    if state.lost_samples > 0 {
      notes.append(
        "\(state.lost_samples) live samples are lost: there was no room for them; a larger interval takes less")
    }
    if state.samples > 20 && state.short_stacks * 5 > state.samples {
      notes.append(
        "\(state.short_stacks * 100 / state.samples) % of the stacks end after one or two functions: code there has neither frame "
          + "pointers (-fno-omit-frame-pointer) nor unwind tables (-funwind-tables)")
    }
    if state.async_frames < 0 { notes.append("async frames off: stacks end where an async function was resumed") }
    if state.program_has_malloc != 0 {
      notes.append(
        "malloc is in the program itself: what its own code allocates by calling malloc, and not through Swift or a library, "
          + "is not seen")
    }
    notes += symbols.withoutSymbols.map(\.noteOfMissingSymbols)
    if state.refused_slots > 0 {
      notes.append("\(state.refused_slots) slots could not be written: some calls are not seen")
    }
    return notes
  }

  private mutating func readLive() -> [UInt32: [LiveSamples.Sample]] {
    var live: [UInt32: [LiveSamples.Sample]] = [:]
    var reader = LiveSamples(state: state)
    while let samples = reader.next(naming: { types.name(ofObjectAt: $0) }) {
      for sample in samples { live[sample.block.site, default: []].append(sample) }
    }
    return live
  }

  private mutating func makeSite(_ raw: insight_site, _ live: [LiveSamples.Sample]) -> HeapProfile.Site {
    var site = HeapProfile.Site()
    site.allocated.objects = .init(raw.objects, variance: raw.objects_variance)
    site.allocated.bytes = .init(raw.bytes, variance: raw.bytes_variance)
    var shares: [String: HeapProfile.Amount] = [:]
    for sample in live {
      let amount = HeapProfile.Amount(ofSampleOf: Int(sample.block.size), interval: Int(state.interval))
      site.live += amount
      if let type = sample.type { shares[type, default: HeapProfile.Amount()] += amount }
    }
    site.types = shares.map { HeapProfile.TypeShare(name: $0.key, live: $0.value) }
      .sorted { $0.live.bytes.value > $1.live.bytes.value }
    let addresses = withUnsafeBytes(of: raw.frames) { Array($0.bindMemory(to: UInt.self).prefix(Int(raw.depth))) }
    site.frames = addresses.enumerated().map { index, address in
      symbols.frame(address, isWaiting: index >= Int(raw.physical_depth))
    }
    if site.frames.isEmpty && raw.samples > 0 {
      let name = raw.hash == 0 ? "(stacks for which there was no room)" : "(a stack that cannot be followed)"
      site.frames = [HeapProfile.Frame(address: 0, function: name, image: "")]
    }
    return site
  }
}

extension HeapProfile.Amount {
  /// What one sampled block stands for: see `heap_profile_samples.c`.
  init(ofSampleOf size: Int, interval: Int) {
    let bytes = Double(max(size, 1))
    let probability = -expm1(-bytes / Double(interval))
    let weight = 1 / probability
    let variance = (1 - probability) * weight * weight
    objects = HeapProfile.Estimate(weight, variance: variance)
    self.bytes = HeapProfile.Estimate(weight * Double(size), variance: variance * bytes * bytes)
  }
}
