#include "server/address_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace anywire::server {
namespace {

net::Address ip(std::string_view text) { return *net::Address::parse_ip(text); }

TEST(AddressBudget, CountsEachAddressByItself) {
  AddressBudget budget(2);
  const auto a = budget.take(ip("192.0.2.1"));
  const auto b = budget.take(ip("192.0.2.1"));
  ASSERT_TRUE(a && b);
  EXPECT_NE(*a, nullptr) << "a lease shows whether it counts";
  EXPECT_FALSE(budget.take(ip("192.0.2.1")));
  EXPECT_TRUE(budget.take(ip("192.0.2.2")));
}

TEST(AddressBudget, CountsAgainWhatIsGivenBack) {
  AddressBudget budget(1);
  for (int i = 0; i < 3; ++i) {
    const auto lease = budget.take(ip("192.0.2.1"));
    EXPECT_TRUE(lease);
    EXPECT_FALSE(budget.take(ip("192.0.2.1")));
  }
}

TEST(AddressBudget, PassesOverThePort) {
  AddressBudget budget(1);
  const auto lease = budget.take(*net::Address::parse("192.0.2.1:1000"));
  EXPECT_FALSE(budget.take(*net::Address::parse("192.0.2.1:2000")));
}

TEST(AddressBudget, TakesAnIpv6NetworkForOneAddress) {
  AddressBudget budget(1);
  const auto lease = budget.take(ip("2001:db8:0:1::1"));
  EXPECT_FALSE(budget.take(ip("2001:db8:0:1:ffff:ffff:ffff:ffff")));
  EXPECT_TRUE(budget.take(ip("2001:db8:0:2::1")));
}

TEST(AddressBudget, KnowsAnIpv4AddressInIpv6sClothes) {
  AddressBudget budget(1);
  const auto lease = budget.take(ip("192.0.2.1"));
  EXPECT_FALSE(budget.take(ip("::ffff:192.0.2.1")));
  EXPECT_TRUE(budget.take(ip("::ffff:192.0.2.2")));
}

TEST(AddressBudget, DoesNotCountPeersWithoutAnAddress) {
  AddressBudget budget(1);
  const net::Address nobody = *net::Address::unix_path("");
  std::vector<AddressBudget::Lease> leases;
  for (int i = 0; i < 5; ++i) {
    leases.push_back(*budget.take(nobody));
    leases.push_back(*budget.take(net::Address()));
  }
  EXPECT_EQ(budget.addresses(), 0u);
}

TEST(AddressBudget, CountsNothingWithoutALimit) {
  AddressBudget budget(0);
  std::vector<AddressBudget::Lease> leases;
  for (int i = 0; i < 1000; ++i) leases.push_back(*budget.take(ip("192.0.2.1")));
  EXPECT_EQ(leases[0], nullptr);
  EXPECT_EQ(budget.addresses(), 0u);
}

TEST(AddressBudget, RemembersNobodyWhoHasLeft) {
  AddressBudget budget(1);
  {
    std::vector<AddressBudget::Lease> leases;
    for (std::uint8_t i = 0; i < 200; ++i) {
      leases.push_back(*budget.take(net::Address::ipv4({10, 0, 0, i}, 0)));
    }
    EXPECT_EQ(budget.addresses(), 200u);
    EXPECT_FALSE(budget.take(ip("10.0.0.7")));
    EXPECT_EQ(budget.addresses(), 200u);
  }
  EXPECT_EQ(budget.addresses(), 0u);
}

TEST(AddressBudget, KeepsItsCountAmongThreads) {
  AddressBudget budget(3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const auto one = budget.take(ip("192.0.2.1"));
        const auto two = budget.take(ip("192.0.2.2"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.addresses(), 0u);
  const auto a = budget.take(ip("192.0.2.1")), b = budget.take(ip("192.0.2.1"));
  EXPECT_TRUE(a && b && budget.take(ip("192.0.2.1")));
}

}  // namespace
}  // namespace anywire::server
